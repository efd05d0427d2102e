package tensor

// SwiGLU is silu(gate) * up for x [T,2F], whose rows hold gate, then up.
func (t *Tape) SwiGLU(x *Tensor) *Tensor {
	if x.Cols%2 != 0 {
		t.refuse("SwiGLU: x %v has no two halves", x)
	}
	y := t.output(x.Rows, x.Cols/2)
	if t.err != nil {
		return y
	}
	t.dev.SwiGLU(y.Value, x.Value, y.Cols)
	return t.record(node{back: swigluGrad, out: y, x: x})
}

func swigluGrad(t *Tape, n *node) {
	dx := t.borrow(n.x.size())
	if t.err == nil {
		t.dev.SwiGLUGrad(dx, n.out.grad, n.x.Value, n.out.Cols)
		t.give(n.x, dx)
	}
}

// GeGLU is GELUTanh(gate) * up for x [T,2F], whose rows hold gate, then up.
func (t *Tape) GeGLU(x *Tensor) *Tensor {
	if x.Cols%2 != 0 {
		t.refuse("GeGLU: x %v has no two halves", x)
	}
	y := t.output(x.Rows, x.Cols/2)
	if t.err != nil {
		return y
	}
	t.dev.GeGLU(y.Value, x.Value, y.Cols)
	return t.record(node{back: gegluGrad, out: y, x: x})
}

func gegluGrad(t *Tape, n *node) {
	dx := t.borrow(n.x.size())
	if t.err == nil {
		t.dev.GeGLUGrad(dx, n.out.grad, n.x.Value, n.out.Cols)
		t.give(n.x, dx)
	}
}

// GELU is the exact Gaussian error linear unit.
func (t *Tape) GELU(x *Tensor) *Tensor {
	y := t.output(x.Rows, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.GELU(y.Value, x.Value)
	return t.record(node{back: geluGrad, out: y, x: x})
}

func geluGrad(t *Tape, n *node) {
	dx := t.borrow(n.x.size())
	if t.err == nil {
		t.dev.GELUGrad(dx, n.out.grad, n.x.Value)
		t.give(n.x, dx)
	}
}

// GELUTanh is the approximation of GELU with a hyperbolic tangent.
func (t *Tape) GELUTanh(x *Tensor) *Tensor {
	y := t.output(x.Rows, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.GELUTanh(y.Value, x.Value)
	return t.record(node{back: geluTanhGrad, out: y, x: x})
}

func geluTanhGrad(t *Tape, n *node) {
	dx := t.borrow(n.x.size())
	if t.err == nil {
		t.dev.GELUTanhGrad(dx, n.out.grad, n.x.Value)
		t.give(n.x, dx)
	}
}

// Tanh is the hyperbolic tangent.
func (t *Tape) Tanh(x *Tensor) *Tensor {
	y := t.output(x.Rows, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Tanh(y.Value, x.Value)
	return t.record(node{back: tanhGrad, out: y, x: x})
}

func tanhGrad(t *Tape, n *node) {
	dx := t.borrow(n.x.size())
	if t.err == nil {
		t.dev.TanhGrad(dx, n.out.grad, n.out.Value)
		t.give(n.x, dx)
	}
}

// Add is a + b for equal shapes.
func (t *Tape) Add(a, b *Tensor) *Tensor {
	if !a.sameShape(b) {
		t.refuse("Add: %v and %v", a, b)
	}
	y := t.output(a.Rows, a.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Add(y.Value, a.Value, b.Value)
	return t.record(node{back: addGrad, out: y, x: a, z: b})
}

func addGrad(t *Tape, n *node) {
	if n.z.grad.Present() {
		t.dev.Axpy(n.z.grad, n.out.grad, 1)
	} else if n.z.grad = t.borrow(n.z.size()); t.err == nil {
		t.dev.Copy(n.z.grad, n.out.grad)
	}
	if t.err == nil {
		t.pass(n.out, n.x)
	}
}

// Mul is the element-wise product for equal shapes.
func (t *Tape) Mul(a, b *Tensor) *Tensor {
	if !a.sameShape(b) {
		t.refuse("Mul: %v and %v", a, b)
	}
	y := t.output(a.Rows, a.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Mul(y.Value, a.Value, b.Value)
	return t.record(node{back: mulGrad, out: y, x: a, z: b})
}

func mulGrad(t *Tape, n *node) {
	for _, factors := range [2][2]*Tensor{{n.x, n.z}, {n.z, n.x}} {
		d := t.borrow(n.out.size())
		if t.err != nil {
			return
		}
		t.dev.Mul(d, n.out.grad, factors[1].Value)
		t.give(factors[0], d)
	}
}

// Scale is alpha * x.
func (t *Tape) Scale(x *Tensor, alpha float32) *Tensor {
	y := t.output(x.Rows, x.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Copy(y.Value, x.Value)
	t.dev.Scale(y.Value, alpha)
	return t.record(node{back: scaleGrad, out: y, x: x, alpha: alpha})
}

func scaleGrad(t *Tape, n *node) {
	t.dev.Scale(n.out.grad, n.alpha)
	t.pass(n.out, n.x)
}
