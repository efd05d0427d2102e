package jinja

import (
	"slices"
	"strings"
)

// tests by name.
var tests map[string]*procedure

func init() {
	tests = map[string]*procedure{
		"boolean":     of(func(_ *renderer, v any) any { return v == true || v == false }),
		"callable":    of(func(_ *renderer, v any) any { return isCallable(v) }),
		"defined":     of(func(_ *renderer, v any) any { return !isUndefined(v) }),
		"divisibleby": takes("num", func(f *frame, v any, a []any) any { return f.r.remainder(v, a[0], 0) }),
		"escaped":     of(func(_ *renderer, v any) any { return typeName(v) == "Markup" }),
		"even":        of(func(r *renderer, v any) any { return r.remainder(v, 2, 0) }),
		"false":       of(func(_ *renderer, v any) any { return v == false }),
		"filter":      of(func(_ *renderer, v any) any { return isNamed(v, filters, otherFilters) }),
		"float":       of(func(_ *renderer, v any) any { return typeName(v) == "float" }),
		"in":          takes("seq", func(f *frame, v any, a []any) any { return f.r.contains(a[0], v) }),
		"integer":     of(func(_ *renderer, v any) any { return typeName(v) == "int" }),
		"iterable":    of((*renderer).isIterable),
		"lower":       of(func(r *renderer, v any) any { return isCase(r.str(v), isLower, isUpper) }),
		"mapping":     of(func(_ *renderer, v any) any { return typeName(v) == "dict" }),
		"none":        of(func(_ *renderer, v any) any { return v == nil }),
		"number":      of(func(_ *renderer, v any) any { _, ok := number(v); return ok }),
		"odd":         of(func(r *renderer, v any) any { return r.remainder(v, 2, 1) }),
		"sameas":      takes("other", sameAs),
		"sequence":    of(func(_ *renderer, v any) any { return isSequence(v) }),
		"string":      of(func(_ *renderer, v any) any { _, ok := text(v); return ok }),
		"test":        of(func(_ *renderer, v any) any { return isNamed(v, tests, "") }),
		"true":        of(func(_ *renderer, v any) any { return v == true }),
		"undefined":   of(func(_ *renderer, v any) any { return isUndefined(v) }),
		"upper":       of(func(r *renderer, v any) any { return isCase(r.str(v), isUpper, isLower) }),
	}
	for op, names := range map[string][]string{
		"==": {"==", "eq", "equalto"}, "!=": {"!=", "ne"},
		">": {">", "gt", "greaterthan"}, ">=": {">=", "ge"}, "<": {"<", "lt", "lessthan"}, "<=": {"<=", "le"},
	} {
		for _, name := range names {
			tests[name] = takes("-other", func(f *frame, v any, a []any) any { return f.r.compare(op, v, a[0]) })
		}
	}
}

func testNamed(name string, line int) *procedure {
	p, ok := tests[name]
	if !ok {
		fail(line, "there is no test %s", name)
	}
	return p
}

func isUndefined(v any) bool {
	_, ok := v.(*undefined)
	return ok
}

// isCallable: Python can call undefined values and loops too, if only to fail.
func isCallable(v any) bool {
	switch v.(type) {
	case *callable, *undefined, *loopState:
		return true
	}
	return false
}

func isNamed(v any, known map[string]*procedure, others string) bool {
	name, _ := text(v)
	return known[name] != nil || slices.Contains(strings.Fields(others), name)
}

func (r *renderer) remainder(v, by any, rest int) bool {
	return r.equal(r.operate("%", v, by), rest)
}

func (r *renderer) isIterable(v any) any {
	if _, ok := v.(*loopState); ok {
		return true
	}
	return r.items(v) != nil
}

// isSequence is whether a value has a length and items by index; a dict and an undefined value pass.
func isSequence(v any) bool {
	switch v.(type) {
	case string, markup, []any, tuple, *Object, rangeValue, *undefined:
		return true
	}
	return false
}

// sameAs compares identity, which only None and bools have here.
func sameAs(f *frame, v any, a []any) any {
	for _, one := range []any{v, a[0]} {
		switch one.(type) {
		case nil, bool:
			return v == nil && a[0] == nil || typeName(v) == "bool" && typeName(a[0]) == "bool" && v == a[0]
		}
	}
	f.r.unsupported("the identity of a value of type %s", typeName(v))
	return nil
}
