package tensor

import "github.com/carebot-llm/carebot/accelerators"

// Linear is x W^T + b for x [T,in], W [out,in] and b [out], which may be nil.
func (t *Tape) Linear(x *Tensor, w, b *Param) *Tensor { return t.linear("Linear", nil, x, w, b) }

// LinearAdd is residual + x W^T + b for a residual [T,out].
func (t *Tape) LinearAdd(residual, x *Tensor, w, b *Param) *Tensor {
	return t.linear("LinearAdd", residual, x, w, b)
}

func (t *Tape) linear(op string, residual, x *Tensor, w, b *Param) *Tensor {
	t.linearRule(op, residual, x, w, b)
	if t.err != nil {
		return &Tensor{}
	}
	out, in := w.Shape[0], w.Shape[1]
	y := t.output(x.Rows, out)
	if t.err != nil {
		return y
	}
	s := accelerators.MatMul{M: x.Rows, N: out, K: in, TransB: true, Alpha: 1}
	if residual != nil {
		t.dev.Copy(y.Value, residual.Value)
		s.Beta = 1
	}
	t.dev.MatMul(y.Value, x.Value, w.Value, s)
	if b != nil {
		t.dev.AddBias(y.Value, b.Value, out)
	}
	return t.record(y, func() {
		t.linearGrad(y, x, w, b)
		if residual != nil {
			t.pass(y, residual)
		}
	})
}

func (t *Tape) linearRule(op string, residual, x *Tensor, w, b *Param) {
	t.trainable(op, w)
	t.require(w.isMatrix(x.Cols), "%s: x %v does not fit %v", op, x, w)
	if b != nil && t.err == nil {
		t.trainable(op, b)
		t.require(b.isVector(w.Shape[0]), "%s: bias %v does not fit %v", op, b, w)
	}
	if residual != nil && t.err == nil {
		t.require(residual.Rows == x.Rows && residual.Cols == w.Shape[0],
			"%s: residual %v does not fit x %v and %v", op, residual, x, w)
	}
}

func (t *Tape) linearGrad(y, x *Tensor, w, b *Param) {
	out, in := w.Shape[0], w.Shape[1]
	s := accelerators.MatMul{M: x.Rows, N: in, K: out, Alpha: 1}
	if x.grad.Present() {
		s.Beta = 1
	} else {
		x.grad = t.borrow(accelerators.F32, x.size())
	}
	if t.err != nil {
		return
	}
	t.dev.MatMul(x.grad, y.grad, w.Value, s)
	t.dev.MatMul(w.Grad, y.grad, x.Value,
		accelerators.MatMul{M: out, N: in, K: x.Rows, TransA: true, Alpha: 1, Beta: 1})
	if b != nil {
		t.dev.BiasGrad(b.Grad, y.grad, out)
	}
}

// HeadLoss is the language-model head with cross-entropy: out[t] = -log softmax(hidden[t] W^T)[targets[t]] for hidden
// [T,C] and W [V,C]. A target of -1 gives 0. The logits never exist whole.
func (t *Tape) HeadLoss(hidden *Tensor, w *Param, targets *Ints) *Tensor {
	t.trainable("HeadLoss", w)
	t.require(w.isMatrix(hidden.Cols), "HeadLoss: hidden %v does not fit %v", hidden, w)
	t.require(targets.Len == hidden.Rows, "HeadLoss: %d targets for hidden %v", targets.Len, hidden)
	y := t.output(hidden.Rows, 1)
	lse := t.save(hidden.Rows)
	logits := t.save(min(max(hidden.Rows, 1), max(64, 16<<20/w.Shape[0])) * w.Shape[0])
	if t.err != nil {
		return y
	}
	s := accelerators.Head{Tokens: hidden.Rows, Width: hidden.Cols, Vocab: w.Shape[0]}
	t.dev.HeadLoss(y.Value, lse, hidden.Value, w.Value, targets.buf, logits, s)
	return t.record(y, func() {
		t.assign(hidden, func(dx accelerators.Buffer) {
			t.dev.HeadLossGrad(dx, w.Grad, y.grad, hidden.Value, w.Value, targets.buf, lse, logits, s)
		})
	})
}
