package wasm

import (
	"bytes"
	"errors"
	"fmt"
)

// A span is a part of the module, in bytes from its start.
type span struct{ start, end int }

// A module is what the rewriting needs to know of a module: where its sections are, how many things of each kind there
// are, and where functions are named by their number.
type module struct {
	code      []byte
	sections  [sectionCount]span
	manifests []span // whole contents of the custom sections that stay
	types     []funcType
	functions []uint32 // types of the functions, imported ones first
	tables    []table
	globals   int
	imports   []string // MODULE.NAME
	mutable   []int    // globals that code may set
	bodies    []span
	counts    [sectionCount]int
	imported  struct{ functions, tables, memories, globals int }
	renumber  [sectionCount][]edit // outside of code
}

var header = []byte("\x00asm\x01\x00\x00\x00")

// parse reads the module but for its functions' bodies.
func parse(code []byte) (*module, error) {
	if len(code) > maxModule {
		return nil, fmt.Errorf("the module has %d bytes, at most %d are read", len(code), maxModule)
	}
	if !bytes.HasPrefix(code, header) {
		return nil, errors.New("this is no WebAssembly module of version 1 (components are not supported)")
	}
	m := &module{code: code}
	r := reader{data: code, at: len(header), end: len(code)}
	for last := 0; r.more(); {
		last = m.section(&r, last)
	}
	if r.err == nil && len(m.bodies) != len(m.functions)-m.imported.functions {
		r.fail("%d functions have %d bodies", len(m.functions)-m.imported.functions, len(m.bodies))
	}
	return m, r.err
}

// section reads one section. It returns the place of the section in the order of sections.
func (m *module) section(r *reader, last int) int {
	id := r.byte()
	content := r.part(int(r.u32()))
	switch {
	case r.err != nil:
		return last
	case id == sectionCustom:
		m.custom(&content)
		r.err = content.err
		return last
	case id >= sectionCount:
		r.fail("section %d is not known", id)
		return last
	case sections[id].place <= last:
		r.fail("the %s section is repeated or out of order", sections[id].name)
		return last
	}
	m.sections[id] = span{content.at, content.end}
	sections[id].read(m, &content)
	if content.err == nil && content.more() {
		content.fail("%d bytes too many", content.end-content.at)
	}
	if content.err != nil {
		r.err = fmt.Errorf("%s section: %w", sections[id].name, content.err)
		r.at = r.end
	}
	return sections[id].place
}

// custom keeps the plugin's manifest. Other custom sections are for debuggers, and number functions as they were.
func (m *module) custom(r *reader) {
	whole := span{r.at, r.end}
	if r.name() == manifestSection {
		m.manifests = append(m.manifests, whole)
	}
}
