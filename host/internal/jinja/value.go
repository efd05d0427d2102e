package jinja

import (
	"time"
	"unicode/utf8"
)

// The values of a template are nil (Python's None), bool, int, float64, string, []any (a list), tuple, *Object (a dict)
// and the types below. None of them changes once made, but for namespaces and what iterates.
type (
	tuple []any

	// markup is text after the filter safe.
	markup string

	// undefined is what a name or attribute without a value gives.
	undefined struct{ message string }

	// A namespace has attributes that a template sets.
	namespace struct{ attributes Object }

	// A callable is a global, a method of a value or a macro.
	callable struct {
		name string
		call func(f *frame, a args) any
	}

	// A view shows the items, keys or values of a dict.
	view struct {
		kind string
		of   *Object
	}

	// A rangeValue is Python's range.
	rangeValue struct{ start, stop, step int }

	// A generator gives its items once.
	generator struct{ next iterator }

	// A missingValue is no value: a slot that nothing was stored in, an argument that was not given.
	missingValue struct{ _ byte }
)

var missing = &missingValue{}

// An iterator returns the next item; ok is false after the last.
type iterator func() (item any, ok bool)

// A renderer is one rendering.
type renderer struct {
	template *Template
	values   *Object
	text     builder
	spans    []Span
	line     int // of what is being evaluated
	steps    int
	memory   int
	nested   int
	now      time.Time
}

// fail gives up at the current line.
func (r *renderer) fail(format string, args ...any) { fail(r.line, format, args...) }

func (r *renderer) unsupported(format string, args ...any) { unsupported(r.line, format, args...) }

// step counts work.
func (r *renderer) step() {
	if r.steps++; r.steps > maxSteps {
		r.fail("rendering takes more than %d steps", maxSteps)
	}
}

// charge counts memory, in bytes.
func (r *renderer) charge(n int) {
	if n > maxMemory-r.memory {
		r.fail("rendering needs more than %d bytes", maxMemory)
	}
	r.memory += n
}

// made counts a text that was made.
func (r *renderer) made(s string) string {
	r.charge(len(s))
	return s
}

// listed counts a list that was made.
func (r *renderer) listed(items []any) []any {
	r.charge(16 * len(items))
	return items
}

// deeper counts how deep values or calls are nested; call what it returns on the way back.
func (r *renderer) deeper() func() {
	if r.nested++; r.nested > maxNested {
		r.fail("values or calls are nested more than %d deep", maxNested)
	}
	return func() { r.nested-- }
}

// typeName is a type as Python's errors name it.
func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "bool"
	case int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case markup:
		return "Markup"
	case []any:
		return "list"
	case tuple:
		return "tuple"
	case *Object:
		return "dict"
	case *view:
		return "dict_" + v.kind
	case rangeValue:
		return "range"
	case *undefined:
		return "Undefined"
	case *namespace:
		return "Namespace"
	case *generator:
		return "generator"
	case *loopState:
		return "loop"
	}
	return "function"
}

// truth is Python's bool of a value.
func (r *renderer) truth(v any) bool {
	switch v := v.(type) {
	case nil, *undefined:
		return false
	case bool:
		return v
	case int:
		return v != 0
	case float64:
		return v != 0
	}
	if n, ok := length(v); ok {
		return n > 0
	}
	return true
}

// length is Python's len; ok is false if the value has none.
func length(v any) (n int, ok bool) {
	switch v := v.(type) {
	case string:
		return utf8.RuneCountInString(v), true
	case markup:
		return utf8.RuneCountInString(string(v)), true
	case []any:
		return len(v), true
	case tuple:
		return len(v), true
	case *Object:
		return v.Len(), true
	case *view:
		return v.of.Len(), true
	case rangeValue:
		return v.len(), true
	case *undefined:
		return 0, true
	}
	return 0, false
}

func (v rangeValue) len() int {
	switch {
	case v.step > 0 && v.start < v.stop:
		return int((uint(v.stop)-uint(v.start)-1)/uint(v.step)) + 1
	case v.step < 0 && v.start > v.stop:
		return int((uint(v.start)-uint(v.stop)-1)/-uint(v.step)) + 1
	}
	return 0
}

// text returns a str, plain or markup.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case markup:
		return string(v), true
	}
	return "", false
}

func truthInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// whole returns the int that a value is; bools are ints.
func whole(v any) (int, bool) {
	switch v := v.(type) {
	case bool:
		return truthInt(v), true
	case int:
		return v, true
	}
	return 0, false
}

// number returns the float that a number is.
func number(v any) (float64, bool) {
	if f, ok := v.(float64); ok {
		return f, true
	}
	n, ok := whole(v)
	return float64(n), ok
}
