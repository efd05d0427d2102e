package wasm

// The code between two checks is paid for by ways. A node is code without branches: it runs whole or not at all, but
// for traps. At a cut, which is where a function begins, where a call has ended and where code has yielded, all that
// ran is paid for and nothing else. There the likeliest way to the next cut is paid for in one sum, and a branch away
// from it pays the difference, or gets it back. So a round of a loop pays once, where it goes the likeliest way.
//
// What is paid is the number of instructions that run, exactly, for every call that returns. A call that traps has
// paid for the rest of the way as well. Blocks, loops, ends and nop are free: they are no code.
type node struct {
	cost int64
	way  int64  // cost of the likeliest way from its beginning to the next cut
	gap  int64  // the most that can have run at its end since the last place to yield
	heat int    // how many loops are around the place to which that way leads; frozen where it traps
	next [2]int // nodes that may follow, the second by a branch, or nowhere
	cut  bool   // it begins with a cut
	last bool   // all ways end with it
	used bool   // something leads to it
}

const (
	nowhere = -1 // a node that is none
	frozen  = -1 // heat of a node that leads nowhere
)

// A frame is a block that is open.
type frame struct {
	op      byte            // block, loop, if or else
	arity   int             // values that a branch to it takes
	loops   int             // open loops, with this one
	start   int             // node: the head of a loop, what ends with an if, nowhere if the block cannot be reached
	end     int             // node behind it, nowhere if no branch leads there
	head    int             // edit at the head of a loop
	latches int             // branches to the head that yield, more than maxLatches if the head yields
	latch   [maxLatches]int // their edits
}

// flow follows the flow of control through a body.
type flow struct {
	frames []frame
	nodes  []node
	order  []int // nodes as they follow each other in the code
	node   int   // what comes next belongs to, nowhere if it cannot be reached
	most   int64 // that can run without a place to yield
}

// exitNode is the end of a function.
const exitNode = 0

func (b *body) begin() {
	b.nodes, b.order, b.node, b.most = b.nodes[:0], b.order[:0], nowhere, 0
	b.nodes[b.newNode()].heat = 0
	b.frames = append(b.frames[:0], frame{op: opBlock, arity: len(b.typ.results), start: nowhere, end: exitNode})
	b.cut(editCheck)
}

func (b *body) newNode() int {
	b.nodes = append(b.nodes, node{heat: frozen, next: [2]int{nowhere, nowhere}})
	return len(b.nodes) - 1
}

// enter begins a node, to which something leads.
func (b *body) enter(n int) {
	b.node = n
	b.order = append(b.order, n)
}

// lead ends the node before, if there is one, and says which one follows.
func (b *body) lead(n int) {
	if b.node == nowhere {
		return
	}
	b.nodes[b.node].next[0] = n
	b.nodes[n].used = true
	b.pass(n)
	b.node = nowhere
}

// cut ends the node before and begins one with a cut, where an edit pays.
func (b *body) cut(kind editKind) {
	n := b.newNode()
	b.nodes[n].cut = true
	b.lead(n)
	b.enter(n)
	b.edits = append(b.edits, edit{kind: kind, at: b.at, end: b.at, from: nowhere, to: n})
}

// split ends the node before by a branch to a node, and begins the one that follows otherwise.
func (b *body) split(target int) {
	from, n := b.node, b.newNode()
	b.nodes[from].next = [2]int{n, target}
	b.pass(n)
	b.pass(target)
	b.enter(n)
	b.edits = append(b.edits, edit{kind: editCharge, at: b.at, end: b.at, from: from, to: n})
}

// pass tells a node that the one before leads to it.
func (b *body) pass(n int) { b.nodes[n].gap = max(b.nodes[n].gap, b.nodes[b.node].gap) }

func (b *body) pay(cost int64) {
	if b.node == nowhere {
		return
	}
	n := &b.nodes[b.node]
	n.cost += cost
	n.gap += cost
	b.most = max(b.most, n.gap)
}

// open enters a block, a loop or an if.
func (b *body) open(op byte, arity int) {
	if len(b.frames) > maxNesting {
		b.fail("more than %d nested blocks", maxNesting)
		return
	}
	f := frame{op: op, arity: arity, loops: b.frames[len(b.frames)-1].loops, start: b.node, end: nowhere}
	switch {
	case b.node == nowhere:
	case op == opLoop:
		b.openLoop(&f)
	case op == opIf:
		b.pay(1)
		f.end = b.newNode()
		b.split(f.end)
	}
	b.frames = append(b.frames, f)
}

func (b *body) openLoop(f *frame) {
	f.loops, f.head = f.loops+1, len(b.edits)
	b.cut(editCharge)
	f.start = b.node
	b.nodes[f.start].heat = f.loops
	if f.arity > 0 {
		b.checkAtHead(f)
	}
}

// otherwise enters the second part of an if.
func (b *body) otherwise() {
	f := &b.frames[len(b.frames)-1]
	if f.op != opIf {
		b.fail("else without if")
		return
	}
	f.op = opElse
	if f.start == nowhere {
		return
	}
	b.lead(f.end)
	n := b.newNode()
	b.nodes[f.start].next[1] = n
	b.node = f.start
	b.pass(n)
	b.enter(n)
	b.edits = append(b.edits, edit{kind: editCharge, at: b.at, end: b.at, from: f.start, to: n})
}

// close leaves the innermost frame by its end.
func (b *body) close() {
	f := b.frames[len(b.frames)-1]
	b.frames = b.frames[:len(b.frames)-1]
	if f.end == nowhere {
		return
	}
	if f.op == opIf {
		b.nodes[f.end].used = true
		b.edits = append(b.edits, edit{kind: editElse, at: b.at - 1, end: b.at - 1, from: f.start, to: f.end})
	}
	b.lead(f.end)
	if len(b.frames) == 0 || !b.nodes[f.end].used {
		return
	}
	b.enter(f.end)
	if b.nodes[f.end].cut {
		b.edits = append(b.edits, edit{kind: editCharge, at: b.at, end: b.at, from: nowhere, to: f.end})
	}
}
