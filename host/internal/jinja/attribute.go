package jinja

import (
	"strings"
	"unicode/utf8"
)

// pythonNames are the public attributes of Python's types.
var pythonNames = map[string]string{
	"str": "capitalize casefold center count encode endswith expandtabs find format format_map index isalnum " +
		"isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join " +
		"ljust lower lstrip maketrans partition removeprefix removesuffix replace rfind rindex rjust rpartition " +
		"rsplit rstrip split splitlines startswith strip swapcase title translate upper zfill",
	"list":  "append clear copy count extend index insert pop remove reverse sort",
	"dict":  "clear copy fromkeys get items keys pop popitem setdefault update values",
	"tuple": "count index",
	"int": "as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag numerator real " +
		"to_bytes",
	"float":       "as_integer_ratio conjugate fromhex hex imag is_integer real",
	"range":       "count index start step stop",
	"dict_items":  "isdisjoint mapping",
	"dict_keys":   "isdisjoint mapping",
	"dict_values": "mapping",
	"generator":   "close send throw gi_code gi_frame gi_running gi_suspended gi_yieldfrom",
}

// changing are the methods that would change a list or dict: the sandbox hides them.
var changing = map[string]string{
	"list": "append clear pop reverse insert sort extend remove",
	"dict": "clear pop popitem setdefault update",
}

// pythonHas and sandboxHides are pythonNames and changing by type and name.
var pythonHas, sandboxHides = byWord(pythonNames), byWord(changing)

func byWord(lists map[string]string) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for kind, words := range lists {
		all[kind] = map[string]bool{}
		for _, word := range strings.Fields(words) {
			all[kind][word] = true
		}
	}
	return all
}

// attribute is v.name: Python's attribute, or else the item of that name.
func (r *renderer) attribute(v any, name string) any {
	r.noOperand(v)
	if own, ok := r.own(v, name); ok {
		return own
	}
	if o, ok := v.(*Object); ok {
		if item, ok := o.get(name); ok {
			return item
		}
	}
	return r.lacks(v, name)
}

// item is v[index]: the item, or else the attribute of that name.
func (r *renderer) item(v, index any) any {
	r.noOperand(v)
	if o, ok := v.(*Object); ok && hashable(index) {
		if item, ok := o.get(index); ok {
			return item
		}
	}
	if i, ok := whole(index); ok {
		if item, ok := r.element(v, i); ok {
			return item
		}
	}
	if name, ok := text(index); ok {
		checkAttribute(name, r.line)
		if own, ok := r.own(v, name); ok {
			return own
		}
		return r.lacks(v, name)
	}
	return &undefined{typeName(v) + " object has no such element"}
}

func (r *renderer) lacks(v any, name string) any {
	return &undefined{"'" + typeName(v) + " object' has no attribute '" + name + "'"}
}

// own is an attribute that Python's type, or the value itself, has.
func (r *renderer) own(v any, name string) (any, bool) {
	switch v := v.(type) {
	case *namespace:
		return v.attributes.get(name)
	case *loopState:
		return v.attribute(name)
	case *callable:
		r.unsupported("the attribute %s of a function", name)
	case markup:
		r.unsupported("the attribute %s of a text that is marked safe", name)
	}
	kind := typeName(v)
	if kind == "bool" {
		kind = "int"
	}
	if !pythonHas[kind][name] {
		return nil, false
	}
	if sandboxHides[kind][name] {
		return &undefined{"access to attribute '" + name + "' of '" + kind + "' object is unsafe."}, true
	}
	m, ok := methods[kind+"."+name]
	if !ok {
		r.unsupported("the attribute %s of a %s", name, kind)
	}
	return &callable{name, func(f *frame, a args) any { return m.apply(f, v, a) }}, true
}

// element is an item of a sequence, counted from its end if i is negative.
func (r *renderer) element(v any, i int) (any, bool) {
	n, ok := length(v)
	if i < 0 {
		i += n
	}
	if !ok || i < 0 || i >= n {
		return nil, false
	}
	switch v := v.(type) {
	case string:
		return character(v, i), true
	case markup:
		return markup(character(string(v), i)), true
	case []any:
		return v[i], true
	case tuple:
		return v[i], true
	case rangeValue:
		return v.start + i*v.step, true
	}
	return nil, false
}

// offset is the byte at which a text's ith character starts.
func offset(s string, i int) int {
	at := 0
	for ; i > 0 && at < len(s); i-- {
		_, n := utf8.DecodeRuneInString(s[at:])
		at += n
	}
	return at
}

func character(s string, i int) string {
	s = s[offset(s, i):]
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

// slice is v[start:stop:step].
func (r *renderer) slice(v any, bounds [3]any) any {
	r.noOperand(v)
	n, ok := length(v)
	if !ok {
		r.unsupported("a slice of a value of type %s", typeName(v))
	}
	start, stop, step := r.bounds(bounds, n)
	switch v := v.(type) {
	case string:
		if step == 1 {
			from := offset(v, start)
			return v[from : from+offset(v[from:], max(stop-start, 0))]
		}
		return r.made(string(pick([]rune(v), start, stop, step)))
	case []any:
		return r.listed(pick(v, start, stop, step))
	case tuple:
		return tuple(r.listed(pick(v, start, stop, step)))
	}
	r.unsupported("a slice of a value of type %s", typeName(v))
	return nil
}

func pick[T any](all []T, start, stop, step int) []T {
	out := []T{}
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		out = append(out, all[i])
	}
	return out
}

// bounds are the limits of a slice of n items: Python's slice.indices.
func (r *renderer) bounds(given [3]any, n int) (start, stop, step int) {
	step = 1
	if given[2] != nil {
		step = r.index(given[2])
	}
	if step == 0 {
		r.fail("the step of a slice is zero")
	}
	step = max(min(step, n+1), -n-1)
	low, high := 0, n
	if step < 0 {
		low, high = -1, n-1
	}
	bound := func(v any, otherwise int) int {
		if v == nil {
			return otherwise
		}
		i := r.index(v)
		if i < 0 {
			return max(i+n, low)
		}
		return min(i, high)
	}
	if step < 0 {
		return bound(given[0], high), bound(given[1], low), step
	}
	return bound(given[0], low), bound(given[1], high), step
}

func (r *renderer) index(v any) int {
	r.noOperand(v)
	i, ok := whole(v)
	if !ok {
		r.fail("a value of type %s is no index", typeName(v))
	}
	return i
}
