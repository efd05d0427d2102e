package jinja

import (
	"slices"
	"strings"
)

// A procedure is a filter, a test or a method: it is applied to a value with arguments.
type procedure struct {
	params []param
	fn     func(f *frame, v any, a []any) any // by its parameters, or else
	open   func(f *frame, v any, a args) any  // with the arguments as they are
}

// A param is a parameter of Python's function.
type param struct {
	name     string // empty if it can't be named
	optional bool
}

// takes makes a procedure. Parameters stand in spec, with ? after those that may be left out and - before those that
// can't be named.
func takes(spec string, fn func(f *frame, v any, a []any) any) *procedure {
	p := &procedure{fn: fn}
	for _, word := range strings.Fields(spec) {
		name, optional := strings.CutSuffix(word, "?")
		if strings.HasPrefix(name, "-") {
			name = ""
		}
		p.params = append(p.params, param{name, optional})
	}
	return p
}

// of makes a procedure without arguments.
func of(fn func(r *renderer, v any) any) *procedure {
	return takes("", func(f *frame, v any, _ []any) any { return fn(f.r, v) })
}

func (p *procedure) apply(f *frame, v any, a args) any {
	if a.caller != nil {
		f.r.fail("the caller of a call block is no argument here")
	}
	if p.open != nil {
		return p.open(f, v, a)
	}
	return p.fn(f, v, bound(f.r, p.params, a))
}

// bound puts arguments in the order of the parameters; those left out are missing.
func bound(r *renderer, params []param, a args) []any {
	if len(a.positional) > len(params) {
		r.fail("%d arguments are given where %d are taken", len(a.positional), len(params))
	}
	all := slices.Clone(a.positional)
	for _, p := range params[len(all):] {
		value, ok := a.named.get(p.name)
		if !ok || p.name == "" {
			value = missing
		}
		if value == missing && !p.optional {
			r.fail("an argument is missing: %s", p.name)
		}
		all = append(all, value)
	}
	for _, key := range a.named.keys {
		at := slices.IndexFunc(params, func(p param) bool { return p.name == key })
		if at < 0 || at < len(a.positional) {
			r.fail("the argument %v is not taken or comes twice", key)
		}
	}
	return all
}

// or is an argument, or what stands for it when it is left out.
func or(v, otherwise any) any {
	if v == missing {
		return otherwise
	}
	return v
}

// textArg is an argument that must be a text.
func (r *renderer) textArg(v any) string {
	r.noOperand(v)
	s, ok := text(v)
	if !ok {
		r.fail("a text is expected, not a value of type %s", typeName(v))
	}
	return s
}
