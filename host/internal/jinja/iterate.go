package jinja

import "unicode/utf8"

// iterate is Python's iter.
func (r *renderer) iterate(v any) iterator {
	next := r.items(v)
	if next == nil {
		r.fail("a value of type %s is not iterable", typeName(v))
	}
	return func() (any, bool) {
		r.step()
		return next()
	}
}

// items is an iterator over a value, nil if it has no items.
func (r *renderer) items(v any) iterator {
	switch v := v.(type) {
	case string:
		return runes(v)
	case markup:
		return runes(string(v))
	case []any:
		return elements(v)
	case tuple:
		return elements(v)
	case *Object:
		return elements(v.keys)
	case *view:
		return v.items()
	case rangeValue:
		return v.items()
	case *generator:
		return v.next
	case *undefined:
		return elements(nil)
	case *loopState:
		r.unsupported("iterating over loop itself")
	}
	return nil
}

func elements(list []any) iterator {
	i := -1
	return func() (any, bool) {
		if i++; i < len(list) {
			return list[i], true
		}
		return nil, false
	}
}

func runes(s string) iterator {
	return func() (any, bool) {
		if s == "" {
			return nil, false
		}
		_, n := utf8.DecodeRuneInString(s)
		c := s[:n]
		s = s[n:]
		return c, true
	}
}

func (v *view) items() iterator {
	switch v.kind {
	case "keys":
		return elements(v.of.keys)
	case "values":
		return elements(v.of.values)
	}
	i := -1
	return func() (any, bool) {
		if i++; i < v.of.Len() {
			return tuple{v.of.keys[i], v.of.values[i]}, true
		}
		return nil, false
	}
}

func (v rangeValue) items() iterator {
	i, n := -1, v.len()
	return func() (any, bool) {
		if i++; i < n {
			return v.start + i*v.step, true
		}
		return nil, false
	}
}

// list is Python's list of a value.
func (r *renderer) list(v any) []any {
	all := []any{}
	next := r.iterate(v)
	for item, ok := next(); ok; item, ok = next() {
		r.charge(16)
		all = append(all, item)
	}
	return all
}

// lazy is iterate, asked for only when the first item is: generators fail no earlier.
func (r *renderer) lazy(v any) iterator {
	var next iterator
	return func() (any, bool) {
		if next == nil {
			next = r.iterate(v)
		}
		return next()
	}
}

// generate makes a generator.
func generate(next iterator) *generator { return &generator{next} }
