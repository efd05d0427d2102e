package jinja

import (
	"errors"
	"fmt"
)

// A failure is the panic by which an error leaves the lexer, the parser or the walk of the tree. recovered turns it
// into an error at the package's border.
type failure struct {
	line int
	err  error
}

// fail gives up at a line.
func fail(line int, format string, args ...any) {
	panic(failure{line, fmt.Errorf(format, args...)})
}

// unsupported gives up because Jinja2 can do what this package can't.
func unsupported(line int, format string, args ...any) {
	fail(line, "%w: %s", ErrUnsupported, fmt.Sprintf(format, args...))
}

// ErrUnsupported says that Jinja2 would render the template and this package can't.
var ErrUnsupported = errors.New("not supported here")

func recovered(template string, err *error) {
	switch p := recover().(type) {
	case nil:
	case failure:
		*err = &Error{template, p.line, p.err}
	default:
		panic(p)
	}
}
