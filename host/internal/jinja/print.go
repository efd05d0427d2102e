package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// str is Python's str of a value.
func (r *renderer) str(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case markup:
		return string(v)
	case *undefined:
		return ""
	}
	var out strings.Builder
	r.repr(&out, v)
	return r.made(out.String())
}

// repr writes Python's repr of a value.
func (r *renderer) repr(out *strings.Builder, v any) {
	r.step()
	defer r.deeper()()
	switch v := v.(type) {
	case nil:
		out.WriteString("None")
	case bool:
		out.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int:
		out.WriteString(strconv.Itoa(v))
	case float64:
		out.WriteString(floatRepr(v))
	case string:
		r.charge(len(v))
		quote(out, v)
	case []any:
		r.reprItems(out, "[", v, "]")
	case tuple:
		r.reprItems(out, "(", v, map[bool]string{true: ",)", false: ")"}[len(v) == 1])
	case *Object:
		r.reprObject(out, v)
	case *view:
		r.reprView(out, v)
	case rangeValue:
		out.WriteString(v.String())
	case *undefined:
		out.WriteString("Undefined")
	default:
		r.unsupported("printing a value of type %s", typeName(v))
	}
}

func (v rangeValue) String() string {
	if v.step == 1 {
		return fmt.Sprintf("range(%d, %d)", v.start, v.stop)
	}
	return fmt.Sprintf("range(%d, %d, %d)", v.start, v.stop, v.step)
}

func (r *renderer) reprItems(out *strings.Builder, opening string, items []any, closing string) {
	out.WriteString(opening)
	for i, item := range items {
		if i > 0 {
			out.WriteString(", ")
		}
		r.repr(out, item)
	}
	out.WriteString(closing)
}

func (r *renderer) reprObject(out *strings.Builder, o *Object) {
	out.WriteString("{")
	for i, key := range o.keys {
		if i > 0 {
			out.WriteString(", ")
		}
		r.repr(out, key)
		out.WriteString(": ")
		r.repr(out, o.values[i])
	}
	out.WriteString("}")
}

func (r *renderer) reprView(out *strings.Builder, v *view) {
	var items []any
	next := v.items()
	for item, ok := next(); ok; item, ok = next() {
		items = append(items, item)
	}
	r.reprItems(out, "dict_"+v.kind+"([", items, "])")
}

// quote writes a string as Python's repr does.
func quote(out *strings.Builder, s string) {
	mark := byte('\'')
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		mark = '"'
	}
	out.WriteByte(mark)
	for _, c := range s {
		switch {
		case c == '\\' || c == rune(mark):
			out.WriteByte('\\')
			out.WriteRune(c)
		case c == '\n':
			out.WriteString(`\n`)
		case c == '\r':
			out.WriteString(`\r`)
		case c == '\t':
			out.WriteString(`\t`)
		case unicode.IsPrint(c):
			out.WriteRune(c)
		case c < 0x100:
			fmt.Fprintf(out, `\x%02x`, c)
		case c < 0x10000:
			fmt.Fprintf(out, `\u%04x`, c)
		default:
			fmt.Fprintf(out, `\U%08x`, c)
		}
	}
	out.WriteByte(mark)
}

// floatRepr is Python's repr of a float: the shortest digits that give it back, with an exponent below 1e-4 and from
// 1e16 on.
func floatRepr(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 0):
		return strings.TrimPrefix(strings.ToLower(fmt.Sprint(f)), "+")
	case f != 0 && (math.Abs(f) < 1e-4 || math.Abs(f) >= 1e16):
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
