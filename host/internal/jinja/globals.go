package jinja

import "fmt"

// globals are the functions that every template knows.
var globals map[string]*callable

func init() {
	globals = map[string]*callable{}
	for name, p := range map[string]*procedure{
		"range":           takes("-start -stop? -step?", ranged),
		"dict":            {open: newDict},
		"namespace":       {open: newNamespace},
		"raise_exception": takes("message", raise),
		"strftime_now":    takes("format", formatNow),
	} {
		globals[name] = &callable{name, func(f *frame, a args) any { return p.apply(f, nil, a) }}
	}
}

func ranged(f *frame, _ any, a []any) any {
	v := rangeValue{0, f.r.index(a[0]), 1}
	if a[1] != missing {
		v = rangeValue{f.r.index(a[0]), f.r.index(a[1]), f.r.index(or(a[2], 1))}
	}
	if v.step == 0 {
		f.r.fail("the step of a range is zero")
	}
	if n := v.len(); n < 0 || n > maxRange {
		f.r.fail("a range has more than %d items", maxRange)
	}
	return v
}

// newDict is Python's dict: of a mapping or of pairs, and of named arguments.
func newDict(f *frame, _ any, a args) any {
	o := &Object{}
	if len(a.positional) > 1 {
		f.r.fail("dict takes one mapping")
	}
	for _, from := range a.positional {
		f.r.noOperand(from)
		if source, ok := from.(*Object); ok {
			from = &view{"items", source}
		}
		for _, item := range f.r.list(from) {
			pair := f.r.list(item)
			if len(pair) != 2 {
				f.r.fail("dict takes pairs, not %d items", len(pair))
			}
			f.r.put(o, pair[0], pair[1])
		}
	}
	for i, key := range a.named.keys {
		f.r.put(o, key, a.named.values[i])
	}
	return o
}

func newNamespace(f *frame, _ any, a args) any {
	space := &namespace{}
	o := newDict(f, nil, a).(*Object)
	for i, key := range o.keys {
		name, ok := key.(string)
		if !ok {
			f.r.unsupported("an attribute that is no text")
		}
		f.r.setAttribute(space, name, o.values[i])
	}
	return space
}

func raise(f *frame, _ any, a []any) any {
	fail(f.r.line, "%w", &Raised{f.r.str(a[0])})
	return nil
}

// A Raised error is what the template refused, by raise_exception.
type Raised struct{ Message string }

func (e *Raised) Error() string { return fmt.Sprintf("the template refuses: %s", e.Message) }
