package tensor

import "github.com/carebot-llm/carebot/accelerators"

// A Seed is the gradient of the loss with respect to one tensor of the tape, row after row, where the way back begins.
type Seed struct {
	Of   *Tensor
	Grad []float32
}

// Backward carries the seeds back to the parameters, whose Grad they add to, and uses the tape up: values and gradients
// of activations return to the pool as soon as nothing needs them, so download what you want before. Reset the tape
// afterwards.
func (t *Tape) Backward(seeds ...Seed) error {
	t.require(t.recording, "Backward: the tape does not record")
	for _, s := range seeds {
		t.plant(s)
	}
	for i := len(t.nodes) - 1; i >= 0 && t.err == nil; i-- {
		out := t.nodes[i].out
		if out.grad.Present() {
			t.nodes[i].back()
			t.dropGrad(out)
		}
		t.unwind(out.mark)
		t.nodes[i] = node{}
		t.nodes = t.nodes[:i]
	}
	return t.err
}

func (t *Tape) plant(s Seed) {
	t.require(len(s.Grad) == s.Of.size(), "Backward: %d gradients for a tensor %v", len(s.Grad), s.Of)
	t.assign(s.Of, func(dx accelerators.Buffer) { t.dev.UploadF32(dx, s.Grad) })
}

// accumulator is x's gradient for kernels that add to it.
func (t *Tape) accumulator(x *Tensor) accelerators.Buffer {
	if !x.grad.Present() {
		x.grad = t.borrow(accelerators.F32, x.size())
		if x.grad.Present() {
			t.dev.Fill(x.grad, 0)
		}
	}
	return x.grad
}

// assign adds to x's gradient what a kernel writes that overwrites its destination.
func (t *Tape) assign(x *Tensor, kernel func(dx accelerators.Buffer)) {
	dx := t.borrow(accelerators.F32, x.size())
	if t.err != nil {
		return
	}
	kernel(dx)
	t.give(x, dx)
}

// give adds a borrowed buffer to x's gradient and ends the loan, without a copy where x has no gradient yet.
func (t *Tape) give(x *Tensor, dx accelerators.Buffer) {
	if !x.grad.Present() {
		x.grad = dx
		return
	}
	t.dev.Axpy(x.grad, dx, 1)
	t.pool.Put(dx)
}

// pass gives y's gradient to x; y has none afterwards.
func (t *Tape) pass(y, x *Tensor) {
	dy := y.grad
	y.grad = accelerators.Buffer{}
	t.give(x, dy)
}

func (t *Tape) dropGrad(x *Tensor) {
	if x.grad.Present() {
		t.pool.Put(x.grad)
		x.grad = accelerators.Buffer{}
	}
}
