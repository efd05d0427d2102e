package wasm

import (
	"cmp"
	"slices"
)

// InstrumentPlainly does what Instrument does, but charges for each instruction where it stands.
func InstrumentPlainly(code []byte) (*Instrumented, error) {
	m, err := parse(code)
	if err != nil {
		return nil, err
	}
	w := newRewriter(m)
	for i := range m.bodies {
		if err := w.body.check(i); err != nil {
			return nil, err
		}
		w.body.edits = plainEdits(m, i, w.body.edits)
		w.function()
	}
	return &Instrumented{Code: w.assemble(), Globals: w.globalNames()}, nil
}

// order is that of edits at one place.
var order = map[editKind]int{
	editLoad: 0, editElse: 0, editCheck: 1, editCharge: 2, editSave: 3, editBytes: 3, editReturn: 4, editPieces: 4,
	editGrow: 4, editBranch: 4, editBranchIf: 4,
}

// plainEdits are the edits of a body with all charges moved to their instructions.
func plainEdits(m *module, i int, edits []edit) []edit {
	edits = slices.DeleteFunc(edits, func(e edit) bool { return e.kind == editCharge })
	for j := range edits {
		edits[j].cost = 0
	}
	for _, at := range instructions(m, i) {
		edits = append(edits, edit{kind: editCharge, at: at, end: at, cost: 1})
	}
	slices.SortStableFunc(edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(order[a.kind], order[b.kind]))
	})
	return edits
}

// instructions are the places of a function's instructions that cost something.
func instructions(m *module, i int) []int {
	b := &body{m: m}
	b.walk(i)
	b.reader = reader{data: m.code, at: b.code.start, end: b.code.end + 1}
	b.begin()
	var places []int
	for len(b.frames) > 0 {
		at := b.at
		switch b.instruction(); m.code[at] {
		case opBlock, opLoop, opElse, opEnd, opNop:
		default:
			places = append(places, at)
		}
	}
	return places
}

// Check reads a module whole and says what is wrong with it: sizes, sections, opcodes of features that are not
// supported, a start function. Types are left to the engine.
func Check(code []byte) error {
	m, err := parse(code)
	if err != nil {
		return err
	}
	b := &body{m: m}
	for i := range m.bodies {
		if err := b.check(i); err != nil {
			return err
		}
	}
	return nil
}
