package jinja

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// path gets what an attribute, with dots between its parts, names within an item: the item itself for None.
func (r *renderer) path(attribute any) func(item any) any {
	var parts []any
	switch a := attribute.(type) {
	case nil:
	case string:
		for _, part := range strings.Split(a, ".") {
			parts = append(parts, pathPart(part))
		}
	default:
		parts = []any{a}
	}
	return func(item any) any {
		for _, part := range parts {
			item = r.item(item, part)
		}
		return item
	}
}

func pathPart(part string) any {
	if n, err := strconv.Atoi(part); err == nil && part[0] >= '0' {
		return n
	}
	return part
}

// folded is path with texts in lower case, unless case counts.
func (r *renderer) folded(attribute, sensitive any) func(item any) any {
	get := r.path(attribute)
	return func(item any) any {
		v := get(item)
		if s, ok := text(v); ok && !r.truth(or(sensitive, false)) {
			return r.lower(s)
		}
		return v
	}
}

// mapFilter applies a filter to every item, or gets an attribute of it.
func mapFilter(f *frame, v any, a args) any {
	if !f.r.truth(v) {
		return generate(elements(nil))
	}
	var each func(item any) any
	next := f.r.lazy(v)
	return generate(func() (any, bool) {
		if each == nil {
			each = mapped(f, a)
		}
		item, ok := next()
		if ok {
			item = each(item)
		}
		return item, ok
	})
}

func mapped(f *frame, a args) func(item any) any {
	if len(a.positional) > 0 {
		name := f.r.textArg(a.positional[0])
		filter := filterNamed(name, f.r.line)
		rest := args{positional: a.positional[1:], named: a.named}
		return func(item any) any { return filter.apply(f, item, rest) }
	}
	attribute, ok := a.named.get("attribute")
	if !ok {
		f.r.fail("map needs a filter or an attribute")
	}
	otherwise, ok := a.named.get("default")
	if a.named.Len() != 1+truthInt(ok) {
		f.r.fail("map takes the arguments attribute and default only")
	}
	if otherwise != nil && strings.Contains(f.r.str(attribute), ".") {
		f.r.unsupported("map of a path with a default")
	}
	get := f.r.path(attribute)
	return func(item any) any {
		v := get(item)
		if _, ok := v.(*undefined); ok && otherwise != nil {
			return otherwise
		}
		return v
	}
}

// choose is one of select, reject, selectattr and rejectattr.
func choose(attribute, keep bool) func(f *frame, v any, a args) any {
	return func(f *frame, v any, a args) any {
		if !f.r.truth(v) {
			return generate(elements(nil))
		}
		var pass func(item any) bool
		next := f.r.lazy(v)
		return generate(func() (any, bool) {
			if pass == nil {
				pass = chosen(f, a, attribute)
			}
			for item, ok := next(); ok; item, ok = next() {
				if pass(item) == keep {
					return item, true
				}
			}
			return nil, false
		})
	}
}

// chosen is the test of select and its kin: that of the name given, or else whether the value is true.
func chosen(f *frame, a args, attribute bool) func(item any) bool {
	get := func(item any) any { return item }
	rest := a.positional
	if attribute {
		if len(rest) == 0 {
			f.r.fail("the name of an attribute is missing")
		}
		get, rest = f.r.path(rest[0]), rest[1:]
	}
	if len(rest) == 0 {
		return func(item any) bool { return f.r.truth(get(item)) }
	}
	test := testNamed(f.r.textArg(rest[0]), f.r.line)
	with := args{positional: rest[1:], named: a.named}
	return func(item any) bool { return f.r.truth(test.apply(f, get(item), with)) }
}

func unique(f *frame, v any, a []any) any {
	next, key := f.r.lazy(v), f.r.folded(or(a[1], nil), a[0])
	seen := &Object{}
	return generate(func() (any, bool) {
		for item, ok := next(); ok; item, ok = next() {
			k := key(item)
			if !f.r.hasKey(seen, k) {
				f.r.put(seen, k, nil)
				return item, true
			}
		}
		return nil, false
	})
}

// sorted sorts items by their keys, those of the same key in the order they had.
func (r *renderer) sorted(items []any, reverse bool, key func(item any) any) []any {
	type keyed struct{ key, item any }
	all := make([]keyed, len(items))
	for i, item := range items {
		all[i] = keyed{key(item), item}
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		order, ordered := r.order(a.key, b.key)
		if !ordered {
			r.unsupported("sorting what is not a number")
		}
		if reverse {
			return -order
		}
		return order
	})
	out := make([]any, len(items))
	for i, k := range all {
		out[i] = k.item
	}
	return r.listed(out)
}

func sortFilter(f *frame, v any, a []any) any {
	var keys []func(any) any
	attribute := or(a[2], nil)
	if s, ok := attribute.(string); ok {
		for _, one := range strings.Split(s, ",") {
			keys = append(keys, f.r.folded(one, a[1]))
		}
	} else {
		keys = append(keys, f.r.folded(attribute, a[1]))
	}
	return f.r.sorted(f.r.list(v), f.r.truth(or(a[0], false)), func(item any) any {
		all := []any{}
		for _, key := range keys {
			all = append(all, key(item))
		}
		return all
	})
}

func dictSort(f *frame, v any, a []any) any {
	o, ok := v.(*Object)
	if !ok {
		f.r.noOperand(v)
		f.r.fail("dictsort of a value of type %s", typeName(v))
	}
	at, ok := map[any]int{"key": 0, "value": 1}[or(a[1], "key")]
	if !ok {
		f.r.fail(`dictsort sorts by "key" or "value"`)
	}
	key := f.r.folded(at, a[0])
	return f.r.sorted(f.r.list(&view{"items", o}), f.r.truth(or(a[2], false)), key)
}

// extreme is min or max: the first item that no other one is better than.
func extreme(better func(order int) bool) func(f *frame, v any, a []any) any {
	return func(f *frame, v any, a []any) any {
		items := f.r.list(v)
		if len(items) == 0 {
			return &undefined{"there is no such item: the sequence is empty"}
		}
		key := f.r.folded(or(a[1], nil), a[0])
		best := slices.MaxFunc(items, func(x, y any) int {
			order, _ := f.r.order(key(x), key(y))
			return cmp.Compare(truthInt(better(order)), truthInt(better(-order)))
		})
		return best
	}
}
