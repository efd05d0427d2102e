package recipe

import (
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

func (d *decoder) scalar(v any, s *shape, r rules, p path, dst reflect.Value) bool {
	switch s.form {
	case whole, number:
		return d.number(v, s.form, r, p, dst)
	case yesNo:
		b, ok := v.(bool)
		if !ok {
			return d.problem(p, "", "want true or false, found %s", found(v))
		}
		dst.SetBool(b)
		return true
	case size:
		return measure(d, v, p, dst, ParseBytes)
	case span:
		return measure(d, v, p, dst, ParseDuration)
	}
	t, ok := v.(string)
	if !ok {
		return d.problem(p, "", "want text, found %s; quotes make it text", found(v))
	}
	dst.SetString(t)
	return d.text(t, r, p) && d.local(t, r, p, dst)
}

// local makes a path of the command line absolute, for it counts from the working directory.
func (d *decoder) local(t string, r rules, p path, dst reflect.Value) bool {
	isLocal := !strings.Contains(t, "://") && (r.path == "always" || r.path == "slash" && isPath(t))
	if !isLocal || d.places[p.id()].value.File != CommandLine {
		return true
	}
	absolute, err := filepath.Abs(t)
	if err != nil {
		return d.problem(p, "", "find the working directory: %v", err)
	}
	dst.SetString(absolute)
	return true
}

func (d *decoder) text(t string, r rules, p path) bool {
	form := patterns[r.pattern]
	switch {
	case r.enum != nil && !slices.Contains(r.enum, t):
		return d.problem(p, nearest(t, r.enum), "want one of %s, found %q", oneOf(r.enum), t)
	case r.filled && t == "":
		return d.problem(p, "", "the text is empty")
	case form.expr != nil && !form.expr.MatchString(t):
		return d.problem(p, "", "want %s, found %q", form.doc, t)
	}
	return true
}

// columns decodes the name of a field, or several; numbers name the columns of a CSV file without a header.
func (d *decoder) columns(v any, r rules, p path, dst reflect.Value) bool {
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	if len(items) == 0 {
		return d.problem(p, "", "the list is empty")
	}
	names := make(Fields, len(items))
	for i, item := range items {
		name, isText := item.(string)
		if !isText {
			name = wholeText(item)
		}
		if names[i] = name; name == "" {
			return d.problem(p, "", "want the name of a field or a list of names, found %s", found(v))
		}
	}
	dst.Set(reflect.ValueOf(names))
	return true
}

// measure decodes a number with a unit.
func measure[T Bytes | Duration](d *decoder, v any, p path, dst reflect.Value, parse func(string) (T, error)) bool {
	text, isText := v.(string)
	if !isText {
		text = wholeText(v)
	}
	n, err := parse(text)
	if err != nil {
		return d.problem(p, "", "%v, found %s", err, found(v))
	}
	dst.SetInt(int64(n))
	return true
}

// wholeText is a whole number without an exponent, or empty.
func wholeText(v any) string {
	f, ok := toFloat(v)
	if !ok || f != math.Trunc(f) {
		return ""
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// number decodes whole and real numbers. Whole ones may be written as 2e6.
func (d *decoder) number(v any, form form, r rules, p path, dst reflect.Value) bool {
	f, ok := toFloat(v)
	want := "a number"
	if form == whole {
		want = "a whole number"
	}
	switch {
	case !ok:
		return d.problem(p, "", "want %s, found %s%s", want, found(v), quotedNumber(v))
	case form == whole && !setWhole(dst, v, f):
		return d.problem(p, "", "want %s, found %s", want, found(v))
	case form == number:
		dst.SetFloat(f)
	}
	if broken := r.violated(f); broken != "" {
		return d.problem(p, "", "want %s %s, found %s", want, broken, found(v))
	}
	return true
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func quotedNumber(v any) string {
	if t, ok := v.(string); ok {
		if _, err := strconv.ParseFloat(t, 64); err == nil {
			return "; without quotes it is a number"
		}
	}
	return ""
}

// setWhole sets an int or uint64 and reports whether the value fits without loss. A negative number in a uint64 is
// left to the bound that every unsigned key has.
func setWhole(dst reflect.Value, v any, f float64) bool {
	n, ok := v.(uint64)
	if ok && dst.Kind() == reflect.Uint64 {
		dst.SetUint(n)
		return true
	}
	if ok || f != math.Trunc(f) || math.Abs(f) >= math.MaxInt64 {
		return false
	}
	signed := int64(f)
	if i, ok := v.(int); ok {
		signed = int64(i)
	}
	if dst.Kind() == reflect.Uint64 {
		dst.SetUint(uint64(max(signed, 0)))
		return true
	}
	dst.SetInt(signed)
	return true
}

// violated is the bound that a number breaks, in words.
func (r rules) violated(f float64) string {
	switch {
	case r.min != nil && f < *r.min:
		return fmt.Sprintf("of at least %v", *r.min)
	case r.above != nil && f <= *r.above:
		return fmt.Sprintf("above %v", *r.above)
	case r.max != nil && f > *r.max:
		return fmt.Sprintf("of at most %v", *r.max)
	case r.below != nil && f >= *r.below:
		return fmt.Sprintf("below %v", *r.below)
	}
	return ""
}
