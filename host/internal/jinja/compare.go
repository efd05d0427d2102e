package jinja

import (
	"cmp"
	"strings"
)

// compare is one of Python's comparisons.
func (r *renderer) compare(op string, left, right any) bool {
	switch op {
	case "==":
		return r.equal(left, right)
	case "!=":
		return !r.equal(left, right)
	case "in":
		return r.contains(right, left)
	case "notin":
		return !r.contains(right, left)
	}
	r.noOperand(left)
	r.noOperand(right)
	order, ordered := r.order(left, right)
	if !ordered {
		return false
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// noOperand fails on a value that is undefined.
func (r *renderer) noOperand(v any) {
	if u, ok := v.(*undefined); ok {
		r.fail("%s", u.message)
	}
}

// equal is Python's ==.
func (r *renderer) equal(a, b any) bool {
	r.step()
	defer r.deeper()()
	if s, ok := text(a); ok {
		t, ok := text(b)
		return ok && s == t
	}
	if i, ok := whole(a); ok {
		if j, ok := whole(b); ok {
			return i == j
		}
	}
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y && exact(a) && exact(b)
	}
	return r.equalValues(a, b)
}

// exact reports whether a number is the same as a float.
func exact(v any) bool {
	i, ok := whole(v)
	return !ok || int(float64(i)) == i && i != 1<<63-1
}

func (r *renderer) equalValues(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case *undefined:
		_, ok := b.(*undefined)
		return ok
	case []any:
		b, ok := b.([]any)
		return ok && r.equalItems(a, b)
	case tuple:
		b, ok := b.(tuple)
		return ok && r.equalItems(a, b)
	case *Object:
		b, ok := b.(*Object)
		return ok && r.equalObjects(a, b)
	case rangeValue, *view:
		if typeName(a) == typeName(b) {
			r.unsupported("comparing values of type %s", typeName(a))
		}
		return false
	}
	return a == b
}

func (r *renderer) equalItems(a, b []any) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !r.equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

func (r *renderer) equalObjects(a, b *Object) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i, key := range a.keys {
		if v, ok := b.get(key); !ok || !r.equal(a.values[i], v) {
			return false
		}
	}
	return true
}

// order compares what Python orders: numbers, texts, and lists and tuples of them. ordered is false of a NaN.
func (r *renderer) order(a, b any) (order int, ordered bool) {
	r.step()
	defer r.deeper()()
	if s, ok := text(a); ok {
		if t, ok := text(b); ok {
			return cmp.Compare(s, t), true
		}
	}
	if i, ok := whole(a); ok {
		if j, ok := whole(b); ok {
			return cmp.Compare(i, j), true
		}
	}
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			if !exact(a) || !exact(b) {
				r.unsupported("ordering numbers beyond 53 bits")
			}
			return cmp.Compare(x, y), x == x && y == y
		}
	}
	if items, ok := a.([]any); ok {
		if others, ok := b.([]any); ok {
			return r.orderItems(items, others)
		}
	}
	if items, ok := a.(tuple); ok {
		if others, ok := b.(tuple); ok {
			return r.orderItems(items, others)
		}
	}
	r.fail("values of type %s and %s can't be ordered", typeName(a), typeName(b))
	return 0, false
}

func (r *renderer) orderItems(a, b []any) (int, bool) {
	for i := range min(len(a), len(b)) {
		if !r.equal(a[i], b[i]) {
			return r.order(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b)), true
}

// contains is Python's in.
func (r *renderer) contains(in, v any) bool {
	if s, ok := text(in); ok {
		part, ok := text(v)
		if !ok {
			r.fail("a value of type %s can't be in a text", typeName(v))
		}
		return strings.Contains(s, part)
	}
	switch in := in.(type) {
	case *Object:
		return r.hasKey(in, v)
	case *view:
		if in.kind == "keys" {
			return r.hasKey(in.of, v)
		}
	case *namespace, *callable:
		r.fail("nothing is in a value of type %s", typeName(in))
	}
	next := r.iterate(in)
	for item, ok := next(); ok; item, ok = next() {
		if r.equal(item, v) {
			return true
		}
	}
	return false
}

func (r *renderer) hasKey(o *Object, key any) bool {
	if !hashable(key) {
		r.unsupported("a value of type %s as the key of a dict", typeName(key))
	}
	_, ok := o.get(key)
	return ok
}
