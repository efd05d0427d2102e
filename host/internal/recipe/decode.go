package recipe

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A decoder fills the structs from a tree and collects what does not fit the shape.
type decoder struct {
	places   map[string]place
	problems Problems // the schema rejects these as well
	unread   Problems // keys under whose condition nothing reads them
}

// problem reports a value. The decoding methods return false after it.
func (d *decoder) problem(p path, suggestion, format string, args ...any) bool {
	at := d.places[p.id()].value
	d.problems = append(d.problems, Problem{at, p.String(), fmt.Sprintf(format, args...), suggestion})
	return false
}

// decode sets dst to v and reports whether v fits.
func (d *decoder) decode(v any, s *shape, r rules, p path, dst reflect.Value) bool {
	switch {
	case v == rejected{}:
		return false
	case v == nil && s.form != anything:
		return d.problem(p, "", "no value; leave the key out to take its default")
	}
	if dst.Kind() == reflect.Pointer {
		dst.Set(reflect.New(dst.Type().Elem()))
		dst = dst.Elem()
	}
	switch s.form {
	case list:
		return d.list(v, s, r, p, dst)
	case mapping:
		return d.mapping(v, s, r, p, dst)
	case record:
		return d.record(v, s, p, dst)
	case columns:
		return d.columns(v, r, p, dst)
	case anything:
		if v != nil {
			dst.Set(reflect.ValueOf(v))
		}
		return true
	}
	return d.scalar(v, s, r, p, dst)
}

func (d *decoder) list(v any, s *shape, r rules, p path, dst reflect.Value) bool {
	items, ok := v.([]any)
	switch {
	case !ok:
		return d.problem(p, "", "want a list, found %s", found(v))
	case len(items) == 0 && r.filled:
		return d.problem(p, "", "the list is empty")
	}
	dst.Set(reflect.MakeSlice(dst.Type(), len(items), len(items)))
	for i, item := range items {
		ok = d.decode(item, s.elem, r, p.item(i), dst.Index(i)) && ok
	}
	return ok
}

func (d *decoder) mapping(v any, s *shape, r rules, p path, dst reflect.Value) bool {
	entries, ok := v.(map[string]any)
	switch {
	case !ok:
		return d.problem(p, "", "want a mapping, found %s", found(v))
	case len(entries) == 0 && r.filled:
		return d.problem(p, "", "the mapping is empty")
	}
	dst.Set(reflect.MakeMap(dst.Type()))
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		ok = (!s.named || d.name(p, key)) && ok
		elem := reflect.New(dst.Type().Elem()).Elem()
		ok = d.decode(entries[key], s.elem, r, p.key(key), elem) && ok
		dst.SetMapIndex(reflect.ValueOf(key), elem)
	}
	return ok
}

// name checks a key by which others may refer to its value.
func (d *decoder) name(p path, key string) bool {
	form := patterns["name"]
	if form.expr.MatchString(key) {
		return true
	}
	return d.keyProblem(p, key, "", "%q is no name: want %s", key, form.doc)
}

func (d *decoder) keyProblem(p path, key, suggestion, format string, args ...any) bool {
	q := p.key(key)
	d.problems = append(d.problems, Problem{d.places[q.id()].key, q.String(), fmt.Sprintf(format, args...), suggestion})
	return false
}

func (d *decoder) record(v any, s *shape, p path, dst reflect.Value) bool {
	if name, ok := v.(string); ok && s.short != "" {
		return d.short(name, s, p, dst)
	}
	entries, ok := v.(map[string]any)
	if !ok {
		return d.problem(p, "", "want a mapping, found %s", found(v))
	}
	if pos := dst.FieldByName("Pos"); pos.IsValid() {
		pos.Set(reflect.ValueOf(d.places[p.id()].key))
	}
	if s.alone && len(entries) != 1 {
		return d.problem(p, "", "want exactly one key: %s", oneOf(keysOf(s.fields)))
	}
	if s.variants != nil {
		return d.variant(entries, s, p, dst)
	}
	return d.fields(entries, s, s.fields, p, dst)
}

// short stands for the mapping of one name with share 1.
func (d *decoder) short(name string, s *shape, p path, dst reflect.Value) bool {
	if name == "" {
		return d.problem(p, "", "the text is empty")
	}
	q := p.key(s.short)
	at := d.places[p.id()].value
	d.places[q.id()], d.places[q.key(name).id()] = place{at, at}, place{at, at}
	return d.fields(map[string]any{s.short: map[string]any{name: 1}}, s, s.fields, p, dst)
}

// variant decodes a record that has a kind: its own fields, then all keys as fields of the kind.
func (d *decoder) variant(entries map[string]any, s *shape, p path, dst reflect.Value) bool {
	own := map[string]any{}
	if kind, ok := entries["kind"]; ok {
		own["kind"] = kind
	}
	dst.FieldByName("Name").SetString(p[len(p)-1])
	if !d.fields(own, s, s.fields, p, dst) {
		return false
	}
	v, _ := s.variant(dst.FieldByName("Kind").String())
	rest := maps.Clone(entries)
	delete(rest, "kind")
	part := dst.Field(v.index)
	part.Set(reflect.New(part.Type().Elem()))
	return d.fields(rest, s, v.fields, p, part.Elem())
}

// fields decodes the keys of a record and fills in the defaults of those that are absent.
func (d *decoder) fields(entries map[string]any, s *shape, fields []field, p path, dst reflect.Value) bool {
	ok := d.knownKeys(entries, s, fields, p)
	fits := map[string]bool{}
	for _, f := range fields {
		v, present := entries[f.key]
		switch {
		case present:
			fits[f.key] = d.decode(v, f.shape, f.rules, p.key(f.key), dst.Field(f.index))
			ok = fits[f.key] && ok
		case f.required:
			ok = d.missing(p, f)
		case f.preset != "":
			d.decode(f.presetValue(), f.shape, rules{}, nil, dst.Field(f.index))
		case f.shape.form == record && dst.Field(f.index).Kind() == reflect.Struct:
			d.fields(nil, f.shape, f.shape.fields, p.key(f.key), dst.Field(f.index))
		}
	}
	for _, f := range fields {
		_, present := entries[f.when.key]
		if fits[f.key] && fits[f.when.key] == present && !f.when.holds(present, fields, dst) {
			q := p.key(f.key)
			at, text := d.places[q.id()].key, "nothing reads this key "+f.when.String()
			d.unread = append(d.unread, Problem{Position: at, Path: q.String(), Text: text})
		}
	}
	return ok
}

func (d *decoder) missing(p path, f field) bool {
	text := f.key + " is missing: " + f.doc
	if f.enum != nil {
		text += " (" + oneOf(f.enum) + ")"
	}
	at := d.places[p.id()].key
	d.problems = append(d.problems, Problem{at, p.String(), text, ""})
	return false
}

// holds reports whether the condition on another key, present or not, is met in a record that is decoded.
func (c condition) holds(present bool, fields []field, dst reflect.Value) bool {
	switch {
	case c.key == "":
		return true
	case c.absent:
		return !present
	case len(c.values) == 0:
		return present
	}
	i := slices.IndexFunc(fields, func(f field) bool { return f.key == c.key })
	value := dst.Field(fields[i].index).String()
	return value == "" || slices.Contains(c.values, value)
}

func (d *decoder) knownKeys(entries map[string]any, s *shape, fields []field, p path) bool {
	known, ok := keysOf(fields), true
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if slices.Contains(known, key) {
			continue
		}
		text, suggestion := unknownKey(key, known, s)
		ok = d.keyProblem(p, key, suggestion, "%s", text)
	}
	return ok
}

func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

// found names a value that is of the wrong form.
func found(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "a mapping"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("the text %q", v)
	case bool:
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("the number %v", v)
}

func oneOf(names []string) string { return strings.Join(names, ", ") }
