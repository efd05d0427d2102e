package wasm

// A straight-line part, or segment, is code that runs whole or not at all, but for traps. It is paid for where it
// begins, in one sum. Code after a block belongs to the segment before the block, if no branch leaves the block for
// elsewhere: then who came to the block comes to what follows.
//
// What is paid is therefore the number of instructions that run, exactly, for every call that returns. A call that
// traps has paid for the rest of the segments that it was in. Blocks, loops, ends and nop are free: they are no code.

// dead is the segment of code that cannot be reached.
const dead = -1

// A frame is a block that is open.
type frame struct {
	op        byte // block, loop, if or else
	targeted  bool // a branch leads to its end
	thenLive  bool // the end of the first part of an if can be reached
	entry     int  // segment before it
	outermost int  // the outermost frame to which a branch in it leads
}

// flow follows the flow of control through a body.
type flow struct {
	frames  []frame
	segment int // the edit that pays for what comes next, or dead
}

func (b *body) begin() {
	b.frames = append(b.frames[:0], frame{op: opBlock, entry: dead})
	b.start(editCheck)
}

// start begins a segment.
func (b *body) start(kind editKind) {
	b.segment = len(b.edits)
	b.edits = append(b.edits, edit{kind: kind, at: b.at, end: b.at})
}

func (b *body) stop() { b.segment = dead }

func (b *body) pay(cost int64) {
	if b.segment != dead {
		b.edits[b.segment].value += cost
	}
}

// open enters a block, a loop or an if.
func (b *body) open(op byte) {
	if len(b.frames) > maxNesting {
		b.fail("more than %d nested blocks", maxNesting)
		return
	}
	if op == opIf {
		b.pay(1)
	}
	b.frames = append(b.frames, frame{op: op, entry: b.segment, outermost: len(b.frames)})
	switch {
	case b.segment == dead || op == opBlock:
	case op == opLoop:
		b.start(editCheck)
	default:
		b.start(editCharge)
	}
}

// otherwise enters the second part of an if.
func (b *body) otherwise() {
	f := &b.frames[len(b.frames)-1]
	if f.op != opIf {
		b.fail("else without if")
		return
	}
	f.op, f.thenLive = opElse, b.segment != dead
	if f.entry != dead {
		b.start(editCharge)
	}
}

// leave notes a branch out of so many frames.
func (b *body) leave(label int) {
	if b.segment == dead || label >= len(b.frames) {
		return
	}
	to := len(b.frames) - 1 - label
	b.frames[to].targeted = b.frames[to].targeted || b.frames[to].op != opLoop
	top := &b.frames[len(b.frames)-1]
	top.outermost = min(top.outermost, to)
}

// close leaves the innermost frame by its end.
func (b *body) close() {
	inner := len(b.frames) - 1
	f := b.frames[inner]
	b.frames = b.frames[:inner]
	if inner == 0 {
		return
	}
	outer := &b.frames[inner-1]
	outer.outermost = min(outer.outermost, f.outermost)
	merge := f.targeted || f.op == opIf || f.thenLive
	switch {
	case f.entry == dead || b.segment == dead && !merge:
		b.stop()
	case f.outermost == inner:
		b.segment = f.entry
	case merge:
		b.start(editCharge)
	}
}

// branch reads the labels of br, br_if or br_table.
func (b *body) branch(op byte) {
	b.pay(1)
	others := 0
	if op == opBrTable {
		others = b.count("targets", maxTargets)
	}
	for range others + 1 {
		b.leave(int(b.index("label", len(b.frames))))
	}
	if op != opBrIf {
		b.stop()
	} else if b.segment != dead {
		b.start(editCharge)
	}
}
