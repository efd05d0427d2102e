package wasm

import (
	"fmt"
	"strconv"
)

// A rewriter writes a module anew: what it imports and exports, and each function's code with the edits in it.
type rewriter struct {
	m       *module
	out     []byte
	results map[string]int // added types of blocks, by their results
	types   []byte         // added types, encoded
	codes   []byte         // the functions' bodies
	meter   meter
	body    body
}

func newRewriter(m *module) *rewriter {
	w := &rewriter{m: m, results: map[string]int{}, types: []byte{0x60, 0, 0}}
	w.meter = meter{
		yield: uint32(m.imported.functions),
		fuel:  uint32(m.globals),
		depth: uint32(m.globals + 1),
	}
	w.body.m = m
	return w
}

// check walks one function and names it in the error.
func (b *body) check(i int) error {
	if b.walk(i); b.err != nil {
		return fmt.Errorf("code section: function %d: %w", b.m.imported.functions+i, b.err)
	}
	return nil
}

func (w *rewriter) rewrite() (*Instrumented, error) {
	w.codes = make([]byte, 0, len(w.m.code)*3/2)
	for i := range w.m.bodies {
		if err := w.body.check(i); err != nil {
			return nil, err
		}
		w.function()
	}
	return &Instrumented{Code: w.assemble(), Globals: w.globalNames(), Lasting: w.body.lasting}, nil
}

// function appends the body that was walked, instrumented.
func (w *rewriter) function() {
	w.meter.function(&w.body, w.blockType(w.body.typ.results))
	w.codes = appendName(w.codes, w.meter.out)
}

// blockType is the type of a block without parameters, and with these results.
func (w *rewriter) blockType(results []byte) int64 {
	switch len(results) {
	case 0:
		return blockEmpty - 0x80
	case 1:
		return int64(results[0]) - 0x80
	}
	t, ok := w.results[string(results)]
	if !ok {
		t = len(w.m.types) + 1 + len(w.results)
		w.results[string(results)] = t
		w.types = appendName(append(w.types, 0x60, 0), results)
	}
	return int64(t)
}

func (w *rewriter) globalNames() []string {
	names := make([]string, len(w.m.mutable))
	for i, g := range w.m.mutable {
		names[i] = ownPrefix + "global." + strconv.Itoa(g)
	}
	return names
}

// assemble writes the sections.
func (w *rewriter) assemble() []byte {
	w.out = append(make([]byte, 0, len(w.codes)+len(w.m.code)), header...)
	w.section(sectionType, 1+len(w.results), w.types)
	w.section(sectionImport, 1, w.yieldImport())
	w.section(sectionFunction, 0, nil)
	w.tables()
	w.section(sectionMemory, 0, nil)
	w.section(sectionGlobal, 2, []byte{typeI64, 1, opI64Const, 0, opEnd, typeI32, 1, opI32Const, 0, opEnd})
	w.section(sectionExport, 2+len(w.m.mutable), w.exports())
	w.section(sectionElement, 0, nil)
	if count := w.m.sections[sectionDataCount]; count.end > 0 {
		w.whole(sectionDataCount, w.m.code[count.start:count.end])
	}
	if len(w.m.bodies) > 0 {
		w.whole(sectionCode, append(appendU32(nil, uint32(len(w.m.bodies))), w.codes...))
	}
	w.section(sectionData, 0, nil)
	for _, s := range w.m.manifests {
		w.whole(sectionCustom, w.m.code[s.start:s.end])
	}
	return w.out
}

func (w *rewriter) whole(id byte, content []byte) {
	w.out = appendName(append(w.out, id), content)
}

// section writes a section with the functions in it renumbered, and with more things at its end.
func (w *rewriter) section(id, more int, added []byte) {
	if w.m.counts[id]+more == 0 {
		return
	}
	content := appendU32(nil, uint32(w.m.counts[id]+more))
	at := w.m.sections[id]
	for _, e := range w.m.renumber[id] {
		content = append(content, w.m.code[at.start:e.at]...)
		content = appendU32(content, w.meter.number(e.value))
		at.start = e.end
	}
	content = append(content, w.m.code[at.start:at.end]...)
	w.whole(byte(id), append(content, added...))
}

func (w *rewriter) yieldImport() []byte {
	b := appendName(appendName(nil, YieldModule), YieldName)
	return appendU32(append(b, kindFunction), uint32(len(w.m.types)))
}

// tables writes the tables, with a bound on what they may grow to.
func (w *rewriter) tables() {
	if len(w.m.tables) == 0 {
		return
	}
	content := appendU32(nil, uint32(len(w.m.tables)))
	for _, t := range w.m.tables {
		bound := w.m.tableBound()
		if t.bounded {
			bound = min(t.max, bound)
		}
		content = appendU32(append(content, t.element, 1), t.min)
		content = appendU32(content, bound)
	}
	w.whole(sectionTable, content)
}

func (w *rewriter) exports() []byte {
	b := appendU32(append(appendName([]byte(nil), FuelGlobal), kindGlobal), w.meter.fuel)
	b = appendU32(append(appendName(b, DepthGlobal), kindGlobal), w.meter.depth)
	for i, name := range w.globalNames() {
		b = appendU32(append(appendName(b, name), kindGlobal), uint32(w.m.mutable[i]))
	}
	return b
}
