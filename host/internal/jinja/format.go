package jinja

import (
	"fmt"
	"strconv"
	"strings"
)

// percent is Python's s % v, for the conversions s, r, d, i, f and x without width.
func (r *renderer) percent(s string, v any) string {
	values, many := v.(tuple)
	if !many {
		values = tuple{v}
	}
	var out strings.Builder
	for {
		before, after, ok := strings.Cut(s, "%")
		out.WriteString(before)
		if !ok {
			break
		}
		if s, ok = strings.CutPrefix(after, "%"); ok {
			out.WriteByte('%')
			continue
		}
		if len(values) == 0 {
			r.fail("there are not enough values for a format")
		}
		s = r.conversion(&out, after, values[0])
		values = values[1:]
	}
	if len(values) > 0 {
		switch v.(type) {
		case nil, bool, int, float64, string, tuple:
		default:
			r.unsupported("a format that leaves out a value of type %s", typeName(v))
		}
		r.fail("not all values are used by a format")
	}
	return out.String()
}

// conversion writes a value as the conversion at the start of s says and returns the rest of s.
func (r *renderer) conversion(out *strings.Builder, s string, v any) (rest string) {
	digits := 6
	if t, ok := strings.CutPrefix(s, "."); ok {
		n := len(t) - len(strings.TrimLeft(t, "0123456789"))
		digits, _ = strconv.Atoi("0" + t[:n])
		if s = t[n:]; n > 2 || !strings.HasPrefix(s, "f") {
			r.unsupported("a precision in a format")
		}
	}
	switch firstRune(s) {
	case 's':
		out.WriteString(r.str(v))
	case 'r':
		r.repr(out, v)
	case 'd', 'i':
		fmt.Fprint(out, r.integer(v))
	case 'x':
		fmt.Fprintf(out, "%x", r.integer(v))
	case 'f':
		x, ok := number(v)
		if !ok || x != x || x-x != 0 {
			r.unsupported("%%f of a value of type %s", typeName(v))
		}
		out.WriteString(strconv.FormatFloat(x, 'f', digits, 64))
	default:
		r.unsupported("the format %%%s", s[:min(1, len(s))])
	}
	return s[1:]
}

func (r *renderer) integer(v any) int {
	if x, ok := v.(float64); ok {
		v = r.truncated(x, nil)
	}
	return r.index(v)
}

// format is Python's str.format, for fields that are empty, a number or a name.
func format(f *frame, v any, a args) any {
	s := f.r.textArg(v)
	var out strings.Builder
	for next := 0; s != ""; {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			i = len(s)
		}
		out.WriteString(s[:i])
		if s = s[i:]; s == "" {
			break
		}
		if strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "}}") {
			out.WriteByte(s[0])
			s = s[2:]
			continue
		}
		field, rest, ok := strings.Cut(s[1:], "}")
		if s[0] == '}' || !ok {
			f.r.fail("a format has a single bracket")
		}
		out.WriteString(f.r.str(f.field(field, a, &next)))
		f.r.charge(out.Len())
		s = rest
	}
	return f.r.made(out.String())
}

// field finds the value of a field; next is the number of the next empty one, -1 once fields are numbered.
func (f *frame) field(name string, a args, next *int) any {
	i, err := strconv.Atoi(name)
	if name == "" {
		i, err = *next, nil
	}
	if strings.ContainsAny(name, ".[!:{") || name == "" && *next < 0 || name != "" && err == nil && *next > 0 {
		f.r.unsupported("the field {%s} in a format", name)
	}
	if err != nil {
		value, ok := a.named.get(name)
		if !ok {
			f.r.fail("a format names %s, which is not given", name)
		}
		return value
	}
	if *next++; name != "" {
		*next = -1
	}
	if i < 0 || i >= len(a.positional) {
		f.r.fail("there are not enough values for a format")
	}
	return a.positional[i]
}
