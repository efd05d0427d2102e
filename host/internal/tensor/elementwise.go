package tensor

import "github.com/carebot-llm/carebot/accelerators"

// SwiGLU is silu(gate) * up for x [T,2F], whose rows hold gate, then up.
func (t *Tape) SwiGLU(x *Tensor) *Tensor {
	t.require(x.Cols%2 == 0, "SwiGLU: x %v has no two halves", x)
	inner := x.Cols / 2
	y := t.output(x.Rows, inner)
	if t.err != nil {
		return y
	}
	t.dev.SwiGLU(y.Value, x.Value, inner)
	return t.record(y, func() {
		t.assign(x, func(dx accelerators.Buffer) { t.dev.SwiGLUGrad(dx, y.grad, x.Value, inner) })
	})
}

// GELU is the exact Gaussian error linear unit.
func (t *Tape) GELU(x *Tensor) *Tensor {
	y := t.output(x.Rows, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.GELU(y.Value, x.Value)
	return t.record(y, func() {
		t.assign(x, func(dx accelerators.Buffer) { t.dev.GELUGrad(dx, y.grad, x.Value) })
	})
}

// Tanh is the hyperbolic tangent.
func (t *Tape) Tanh(x *Tensor) *Tensor {
	y := t.output(x.Rows, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Tanh(y.Value, x.Value)
	return t.record(y, func() {
		t.assign(x, func(dx accelerators.Buffer) { t.dev.TanhGrad(dx, y.grad, y.Value) })
	})
}

// Add is a + b for equal shapes.
func (t *Tape) Add(a, b *Tensor) *Tensor {
	t.require(a.sameShape(b), "Add: %v and %v", a, b)
	y := t.output(a.Rows, a.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Add(y.Value, a.Value, b.Value)
	return t.record(y, func() {
		if db := t.accumulator(b); t.err == nil {
			t.dev.Axpy(db, y.grad, 1)
			t.pass(y, a)
		}
	})
}

// Mul is the element-wise product for equal shapes.
func (t *Tape) Mul(a, b *Tensor) *Tensor {
	t.require(a.sameShape(b), "Mul: %v and %v", a, b)
	y := t.output(a.Rows, a.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Mul(y.Value, a.Value, b.Value)
	return t.record(y, func() {
		t.assign(a, func(da accelerators.Buffer) { t.dev.Mul(da, y.grad, b.Value) })
		t.assign(b, func(db accelerators.Buffer) { t.dev.Mul(db, y.grad, a.Value) })
	})
}

// Scale is alpha * x.
func (t *Tape) Scale(x *Tensor, alpha float32) *Tensor {
	y := t.output(x.Rows, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Copy(y.Value, x.Value)
	t.dev.Scale(y.Value, alpha)
	return t.record(y, func() {
		t.dev.Scale(y.grad, alpha)
		t.pass(y, x)
	})
}
