package tensor

import "github.com/carebot-llm/carebot/accelerators"

// A node is one recorded operation: what it read and made, as far as its gradient needs it. Walking back over it releases
// everything the tape took since it began.
type node struct {
	back func(*Tape, *node) // reads out.grad and adds to the gradients of the inputs; captures nothing
	out  *Tensor
	x, z *Tensor // inputs
	w, b *Param
	low  []LowRank

	index accelerators.Buffer    // rows, ids, targets
	saved [3]accelerators.Buffer // in the order of the kernel's arguments
	heads Heads
	alpha float32

	packing Packing
	block   Block
	layer   int
}

// record appends an operation that made n.out.
func (t *Tape) record(n node) *Tensor {
	if t.recording {
		t.nodes = append(t.nodes, n)
	}
	return n.out
}
