package tensor

import (
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Seed is the gradient of the loss with respect to one tensor of the tape, row after row, where the way back begins.
type Seed struct {
	Of   *Tensor
	Grad []float32
}

// Backward carries the seeds, and what HeadLearn has planted, back to the parameters, whose Grad they add to. It uses
// the tape up: values and gradients of activations return to the arena as soon as nothing needs them, so download what
// you want before. Reset the tape afterwards.
func (t *Tape) Backward(seeds ...Seed) error {
	if !t.recording {
		t.refuse("Backward: the tape does not record")
	}
	for _, s := range seeds {
		t.plant(s)
	}
	t.walk(0)
	if t.err == nil {
		for _, set := range t.learned {
			set.settle(t.dev)
		}
	}
	return t.err
}

func (t *Tape) plant(s Seed) {
	if len(s.Grad) != s.Of.size() {
		t.refuse("Backward: %d gradients for a tensor %v", len(s.Grad), s.Of)
	}
	dx := t.borrow(s.Of.kind(), s.Of.size())
	if t.err == nil {
		t.dev.UploadF32(dx, s.Grad)
		t.give(s.Of, dx)
	}
}

// walk goes back over the newest nodes until so many are left.
func (t *Tape) walk(left int) {
	for len(t.nodes) > left && t.err == nil {
		last := len(t.nodes) - 1
		n := &t.nodes[last]
		out := n.out
		t.learns(n.w)
		if out.grad.Present() {
			n.back(t, n)
			t.dropGrad(out)
		}
		t.unwind(out.mark)
		t.nodes = t.nodes[:last]
	}
}

// learns notes that the way back reaches a parameter.
func (t *Tape) learns(p *Param) {
	if p != nil && !slices.Contains(t.learned, p.set) {
		t.learned = append(t.learned, p.set)
	}
}

// accumulator is x's gradient for kernels that add to it.
func (t *Tape) accumulator(x *Tensor) accelerators.Buffer {
	if !x.grad.Present() {
		x.grad = t.borrow(x.kind(), x.size())
		if x.grad.Present() {
			t.dev.Fill(x.grad, 0)
		}
	}
	return x.grad
}

// give adds a borrowed buffer to x's gradient and ends the loan, without a copy where x has no gradient yet.
func (t *Tape) give(x *Tensor, dx accelerators.Buffer) {
	if !x.grad.Present() {
		x.grad = dx
		return
	}
	t.dev.Axpy(x.grad, dx, 1)
	t.arena.Put(dx)
}

// pass gives y's gradient to x; y has none afterwards.
func (t *Tape) pass(y, x *Tensor) {
	dy := y.grad
	y.grad = accelerators.Buffer{}
	t.give(x, dy)
}

func (t *Tape) dropGrad(x *Tensor) {
	t.giveBack(x.grad)
	x.grad = accelerators.Buffer{}
}

// sumsFor is p's gradient for kernels that add to it. What they add to a frozen parameter nobody reads: it goes to
// borrowed memory. doneWith ends the use.
func (t *Tape) sumsFor(p *Param) accelerators.Buffer {
	if p.frozen() {
		return t.borrow(accelerators.F32, p.Size())
	}
	if p.renew() {
		t.dev.Fill(p.Grad, 0)
	}
	return p.Grad
}

func (t *Tape) doneWith(p *Param, sums accelerators.Buffer) {
	if p.frozen() {
		t.giveBack(sums)
	}
}
