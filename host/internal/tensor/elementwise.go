package tensor

// Add is a + b for equal shapes.
func (t *Tape) Add(a, b *Tensor) *Tensor {
	if !a.sameShape(b) {
		t.refuse("Add: %v and %v", a, b)
	}
	y := t.output(a.kind(), a.Rows, a.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Add(y.Value, a.Value, b.Value)
	return t.record(node{back: addGrad, out: y, x: a, z: b})
}

func addGrad(t *Tape, n *node) {
	if n.z.grad.Present() {
		t.dev.Axpy(n.z.grad, n.out.grad, 1)
	} else if n.z.grad = t.borrow(n.z.kind(), n.z.size()); t.err == nil {
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
	y := t.output(a.kind(), a.Rows, a.Cols)
	if t.err != nil {
		return y
	}
	t.dev.Mul(y.Value, a.Value, b.Value)
	return t.record(node{back: mulGrad, out: y, x: a, z: b})
}

func mulGrad(t *Tape, n *node) {
	for _, factors := range [2][2]*Tensor{{n.x, n.z}, {n.z, n.x}} {
		d := t.borrow(n.out.kind(), n.out.size())
		if t.err != nil {
			return
		}
		t.dev.Mul(d, n.out.grad, factors[1].Value)
		t.give(factors[0], d)
	}
}

// Scale is alpha * x.
func (t *Tape) Scale(x *Tensor, alpha float32) *Tensor {
	y := t.output(x.kind(), x.Rows, x.Cols)
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
