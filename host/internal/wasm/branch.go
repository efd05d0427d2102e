package wasm

// A loop yields where it branches to its head, not at the head: there the engine would write the values of all locals
// to its stack in every round, in case the host is called. A loop with more such branches than maxLatches yields at
// its head, as does one whose branches take values or come from a table.
const maxLatches = 4

// branch reads the label of br or br_if.
func (b *body) branch(op byte, at int) {
	b.pay(1)
	label := int(b.index("label", len(b.frames)))
	if b.node == nowhere || b.err != nil {
		return
	}
	f := &b.frames[len(b.frames)-1-label]
	to := b.target(f)
	e := edit{kind: editBranch, at: at, end: b.at, value: int64(label), from: b.node, to: to}
	switch {
	case op == opBr:
		b.jump(f, e)
		b.lead(to)
		return
	case b.pays(f):
		e.kind = editBranchIf
		b.jump(f, e)
	default:
		b.nodes[b.node].last, b.nodes[to].cut = true, true
	}
	b.split(to)
}

// pays says whether a br_if to a frame can pay where it is taken. It cannot if it takes values. It should not if its
// condition was kept in the meantime, as Go does behind calls: for an if, the engine would jump over what pays.
func (b *body) pays(f *frame) bool { return f.arity == 0 && (f.op == opLoop || b.before != opLocalSet) }

// table reads the labels of br_table. All of its ways begin with a cut, since it cannot pay for them.
func (b *body) table() {
	b.pay(1)
	for range b.count("targets", maxTargets) + 1 {
		label := int(b.index("label", len(b.frames)))
		if b.node == nowhere || b.err != nil {
			continue
		}
		f := &b.frames[len(b.frames)-1-label]
		to := b.target(f)
		b.pass(to)
		b.nodes[to].cut = true
		b.checkAtHead(f)
	}
	if b.node != nowhere {
		b.nodes[b.node].heat = b.frames[len(b.frames)-1].loops
	}
	b.node = nowhere
}

// target is the node to which branches to a frame lead.
func (b *body) target(f *frame) int {
	to := f.start
	if f.op != opLoop {
		if f.end == nowhere {
			f.end = b.newNode()
		}
		to = f.end
	}
	b.nodes[to].used = true
	return to
}

// jump notes a branch to a frame, which yields if that is a loop that does not do so at its head.
func (b *body) jump(f *frame, e edit) {
	if f.op == opLoop && f.latches == maxLatches {
		b.checkAtHead(f)
	}
	if f.op == opLoop && f.latches < maxLatches {
		e.yields = true
		f.latch[f.latches] = len(b.edits)
		f.latches++
	}
	b.edits = append(b.edits, e)
}

// checkAtHead makes the head of a loop the place where it yields.
func (b *body) checkAtHead(f *frame) {
	if f.op != opLoop || f.latches > maxLatches {
		return
	}
	b.edits[f.head].kind = editCheck
	for _, l := range f.latch[:f.latches] {
		b.edits[l].yields = false
	}
	f.latches = maxLatches + 1
}
