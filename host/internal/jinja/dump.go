package jinja

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A dumper writes JSON as Python's json.dumps does.
type dumper struct {
	r         *renderer
	out       strings.Builder
	ascii     bool
	sorted    bool
	indented  bool
	indent    string
	item, key string // separators
}

// toJSON is transformers' filter tojson.
func toJSON(f *frame, v any, a []any) any {
	d := &dumper{r: f.r, ascii: f.r.truth(or(a[0], false)), sorted: f.r.truth(or(a[3], false)), item: ", ", key: ": "}
	switch by := or(a[1], nil).(type) {
	case nil:
	case string:
		d.indented, d.indent, d.item = true, by, ","
	default:
		d.indented, d.item = true, ","
		d.indent = f.r.repeat(" ", f.r.index(by)).(string)
	}
	if by := or(a[2], nil); by != nil {
		both := f.r.list(by)
		if len(both) != 2 {
			f.r.fail("separators are two texts")
		}
		d.item, d.key = f.r.textArg(both[0]), f.r.textArg(both[1])
	}
	d.value(v, 0)
	return d.out.String()
}

func (d *dumper) write(s string) {
	d.r.charge(len(s))
	d.out.WriteString(s)
}

func (d *dumper) value(v any, depth int) {
	d.r.step()
	defer d.r.deeper()()
	if s, ok := text(v); ok {
		d.text(s)
		return
	}
	switch v := v.(type) {
	case nil, bool, int, float64:
		d.write(scalar(v))
	case []any:
		d.list(v, depth)
	case tuple:
		d.list(v, depth)
	case *Object:
		d.object(v, depth)
	default:
		d.r.noOperand(v)
		d.r.fail("a value of type %s can't be written as JSON", typeName(v))
	}
}

func scalar(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return map[string]string{"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[floatRepr(v)]
		}
		return floatRepr(v)
	}
	return "null"
}

// newline begins a line, where lines are wanted.
func (d *dumper) newline(depth int) {
	if d.indented {
		d.write("\n")
		for range depth {
			d.write(d.indent)
		}
	}
}

func (d *dumper) list(items []any, depth int) {
	if len(items) == 0 {
		d.write("[]")
		return
	}
	d.write("[")
	for i, item := range items {
		if i > 0 {
			d.write(d.item)
		}
		d.newline(depth + 1)
		d.value(item, depth+1)
	}
	d.newline(depth)
	d.write("]")
}

func (d *dumper) object(o *Object, depth int) {
	if o.Len() == 0 {
		d.write("{}")
		return
	}
	pairs := d.r.list(&view{"items", o})
	if d.sorted {
		pairs = d.r.sorted(pairs, false, d.r.path(0))
	}
	d.write("{")
	for i, p := range pairs {
		if i > 0 {
			d.write(d.item)
		}
		d.newline(depth + 1)
		d.name(p.(tuple)[0])
		d.write(d.key)
		d.value(p.(tuple)[1], depth+1)
	}
	d.newline(depth)
	d.write("}")
}

// name writes a key, which JSON has as text only.
func (d *dumper) name(key any) {
	if s, ok := text(key); ok {
		d.text(s)
		return
	}
	d.text(scalar(key))
}

var jsonEscapes = map[rune]string{
	'"': `\"`, '\\': `\\`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\f': `\f`, '\b': `\b`,
}

func (d *dumper) text(s string) {
	d.r.charge(len(s))
	var out strings.Builder
	out.WriteByte('"')
	for _, c := range s {
		escape, ok := jsonEscapes[c]
		switch {
		case ok:
			out.WriteString(escape)
		case c < 0x20 || d.ascii && c >= 0x7f && c < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, c)
		case d.ascii && c >= 0x10000:
			high, low := utf16.EncodeRune(c)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			out.WriteRune(c)
		}
	}
	out.WriteByte('"')
	d.out.WriteString(out.String())
}
