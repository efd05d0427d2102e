// Package jinja renders the chat templates of Hugging Face models as transformers does: Jinja2's sandbox without
// mutation, with trim_blocks, lstrip_blocks, break and continue, and transformers' own tojson, raise_exception,
// strftime_now and generation blocks.
//
// A template is untrusted. It reaches nothing but the values it is given and the clock, and ends with an error when it
// takes too many steps, nests too deeply or grows too large. What Jinja2 has and this package lacks is an error, of
// Parse where the template alone shows it, else of Render; nothing is rendered in another way than Jinja2 would.
//
// The lexer makes tokens, the parser a tree, the resolver finds out which scope holds each name, as Jinja2's compiler
// does, and rendering walks the tree. Within the package errors travel as panics of type failure (see failure.go).
package jinja

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Limits of a template and of one rendering.
const (
	maxSource = 1 << 20   // bytes of a template
	maxNested = 200       // expressions and blocks within each other, values within each other, calls of macros
	maxSteps  = 5_000_000 // expressions evaluated and items visited
	maxMemory = 256 << 20 // bytes of text and 16 times items of lists made on the way, whether kept or not
	maxRange  = 100_000   // items of a range, as in Jinja2's sandbox
)

// A Template is parsed once and rendered often, by several goroutines at once.
type Template struct {
	// Clock is what strftime_now reads; Parse sets it to time.Now.
	Clock func() time.Time

	name     string
	body     []node
	slots    int
	entry    []load
	generate bool // it has generation blocks
	captured bool // one of them stands where its text may not reach the output at once
}

// A Span is a stretch of bytes, From up to, not including, To.
type Span struct{ From, To int }

// Rendered is a text and the stretches of it that generation blocks wrote.
type Rendered struct {
	Text      string
	Generated []Span
}

// An Error says where a template could not be parsed or rendered.
type Error struct {
	Template string
	Line     int
	Err      error
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %v", e.Template, e.Line, e.Err) }

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads a template. The name stands in errors.
func Parse(name, source string) (t *Template, err error) {
	defer recovered(name, &err)
	if len(source) > maxSource {
		fail(1, "the template has %d bytes, more than the limit of %d", len(source), maxSource)
	}
	if !utf8.ValidString(source) {
		fail(1, "the template is not UTF-8")
	}
	p := parser{tokens: lex(source)}
	body := p.template()
	return resolved(&Template{Clock: time.Now, name: name, body: body}), nil
}

// Marks reports whether generation blocks mark what the assistant writes. Those within macros, set blocks and filter
// blocks count for nothing, since their text may be written elsewhere or not at all; with one of them Marks is false.
func (t *Template) Marks() bool { return t.generate && !t.captured }

// Render fills the template with values: nil, bool, int, float64, string, []any and *Object within each other.
func (t *Template) Render(values *Object) (out Rendered, err error) {
	r := &renderer{template: t, values: values, line: 1}
	defer func() {
		if err != nil {
			out = Rendered{}
		}
	}()
	defer recovered(t.name, &err)
	f := &frame{r: r, slots: make([]any, t.slots), out: &r.text, top: true}
	f.enter(t.entry)
	f.run(t.body)
	return Rendered{Text: r.text.String(), Generated: r.spans}, nil
}
