package jinja

import "strings"

// A builder collects text that is written.
type builder struct{ strings.Builder }

// write adds text to what the frame writes.
func (f *frame) write(s string) {
	f.r.charge(len(s))
	f.out.WriteString(s)
}

// writeText writes what a block made, which must be text.
func (f *frame) writeText(v any) {
	s, ok := text(v)
	if !ok {
		f.r.fail("a block gives a value of type %s, not text", typeName(v))
	}
	f.write(s)
}

// buffered collects what do writes.
func (f *frame) buffered(do func() signal) (string, signal) {
	out, top := f.out, f.top
	f.out, f.top = &builder{}, false
	s := do()
	written := f.out.String()
	f.out, f.top = out, top
	return written, s
}
