package recipe

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A form is the way in which a value stands in a file.
type form int

const (
	text form = iota
	whole
	number
	yesNo
	size
	span
	columns // text, a number, or a list of them (Fields)
	list
	mapping
	record
	anything
)

// A shape is what the file may hold in one place. Decoder, schema and reference all follow it.
type shape struct {
	form     form
	name     string    // record: of the Go type
	elem     *shape    // list, mapping
	named    bool      // mapping: the keys are names, others may refer to them
	fields   []field   // record
	variants []variant // record: more fields, by the value of the key kind
	alone    bool      // record: exactly one of its keys
	short    string    // record: text in its place is this mapping's only key, with share 1
}

// A field is a key of a record.
type field struct {
	rules
	key, doc string
	preset   string // default; empty for none
	required bool
	when     condition
	same     bool // results are the same whatever its value
	index    int  // of the struct's field
	shape    *shape
}

// Rules bound a scalar, or each scalar of a list or mapping.
type rules struct {
	enum       []string
	min, above *float64 // smallest value, value below all
	max, below *float64
	pattern    string // name of an entry of patterns
	filled     bool   // not empty
	path       string // "always" a path, or one when it has a "slash"
}

// A variant is what a record has besides its own fields when kind is its name.
type variant struct {
	name   string
	index  int
	fields []field
}

// A condition ties a key to another key of its record: that it has one of the values, or that it stands (or not) in
// the file.
type condition struct {
	key    string
	values []string
	absent bool
}

// A pattern is a regular expression and how what it matches is called.
type pattern struct {
	expr *regexp.Regexp
	doc  string
}

var patterns = map[string]pattern{
	"name":   {regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`), "a name of a-z, 0-9, _ and -, such as stable-2"},
	"device": {regexp.MustCompile(`^(auto|cpu|cuda(:[0-9]{1,3})?)$`), "auto, cpu, cuda or cuda:N"},
	"url":    {regexp.MustCompile(`^https?://[^/@\s]+(/[^\s]*)?$`), "an address such as https://hub.example.com"},
	"sha256": {regexp.MustCompile(`^[0-9a-f]{64}$`), "64 hexadecimal digits"},
}

// recipeShape is the shape of a whole file.
var recipeShape = sync.OnceValue(func() *shape { return shapeOf(reflect.TypeFor[Recipe]()) })

func shapeOf(t reflect.Type) *shape {
	switch t {
	case reflect.TypeFor[Bytes]():
		return &shape{form: size}
	case reflect.TypeFor[Duration]():
		return &shape{form: span}
	case reflect.TypeFor[Fields]():
		return &shape{form: columns}
	}
	switch t.Kind() {
	case reflect.String:
		return &shape{form: text}
	case reflect.Int, reflect.Uint64:
		return &shape{form: whole}
	case reflect.Float64:
		return &shape{form: number}
	case reflect.Bool:
		return &shape{form: yesNo}
	case reflect.Interface:
		return &shape{form: anything}
	case reflect.Pointer:
		return shapeOf(t.Elem())
	case reflect.Slice:
		return &shape{form: list, elem: shapeOf(t.Elem())}
	case reflect.Map:
		elem := shapeOf(t.Elem())
		return &shape{form: mapping, elem: elem, named: elem.form == record}
	case reflect.Struct:
		return recordShape(t)
	}
	panic(fmt.Sprintf("recipe: no shape for %s", t))
}

func recordShape(t reflect.Type) *shape {
	s := &shape{form: record, name: t.Name(), fields: fieldsOf(t), alone: t == reflect.TypeFor[Step]()}
	if t == reflect.TypeFor[Mix]() {
		s.short = "mix"
	}
	if t == reflect.TypeFor[Stage]() {
		s.variants = variantsOf(t)
	}
	return s
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		if key, ok := t.Field(i).Tag.Lookup("key"); ok {
			fields = append(fields, fieldOf(t.Field(i), key, i))
		}
	}
	return fields
}

func fieldOf(f reflect.StructField, key string, index int) field {
	required := f.Tag.Get("required") == "true"
	return field{
		key: key, doc: f.Tag.Get("doc"), preset: f.Tag.Get("default"), required: required,
		when: conditionOf(f.Tag.Get("when")), same: f.Tag.Get("results") == "same", index: index, shape: shapeOf(f.Type),
		rules: rules{
			enum: splitList(f.Tag.Get("enum")), pattern: f.Tag.Get("pattern"), path: f.Tag.Get("path"),
			filled: required,
			min:    bound(f.Tag.Get("min")), above: bound(f.Tag.Get("above")),
			max: bound(f.Tag.Get("max")), below: bound(f.Tag.Get("below")),
		},
	}
}

// variantsOf are the struct's pointers without a key: the kind is the field's name in lower case.
func variantsOf(t reflect.Type) []variant {
	var variants []variant
	for i := range t.NumField() {
		if f := t.Field(i); f.Type.Kind() == reflect.Pointer && f.Tag.Get("key") == "" {
			variants = append(variants, variant{strings.ToLower(f.Name), i, fieldsOf(f.Type.Elem())})
		}
	}
	return variants
}

func (s *shape) variant(kind string) (variant, bool) {
	i := slices.IndexFunc(s.variants, func(v variant) bool { return v.name == kind })
	if i < 0 {
		return variant{}, false
	}
	return s.variants[i], true
}

func splitList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func bound(text string) *float64 {
	if text == "" {
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic(fmt.Sprintf("recipe: bound %q in a struct tag", text))
	}
	return &f
}

// conditionOf reads the tag when: key=value|value, key, or !key.
func conditionOf(tag string) condition {
	key, values, valued := strings.Cut(tag, "=")
	if valued {
		return condition{key: key, values: strings.Split(values, "|")}
	}
	key, absent := strings.CutPrefix(tag, "!")
	return condition{key: key, absent: absent}
}

// String says in words when the condition is broken, to follow "nothing reads this key".
func (c condition) String() string {
	switch {
	case c.absent:
		return "when " + c.key + " is given"
	case len(c.values) == 0:
		return "unless " + c.key + " is given"
	}
	return "unless " + c.key + " is " + strings.Join(c.values, " or ")
}

// presetValue is a default as the file would hold it.
func (f field) presetValue() any {
	switch f.shape.form {
	case whole, number:
		n, err := strconv.ParseFloat(f.preset, 64)
		if err != nil {
			panic(fmt.Sprintf("recipe: default %q of %s in a struct tag", f.preset, f.key))
		}
		return n
	case yesNo:
		return f.preset == "true"
	case list:
		var items []any
		for _, item := range splitList(f.preset) {
			items = append(items, item)
		}
		return items
	}
	return f.preset
}
