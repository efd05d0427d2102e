package tensor

import "github.com/carebot-llm/carebot/accelerators"

// Linear is x W^T + b for x [T,in], W [out,in] and b [out], which may be nil, and what the low-rank products beside W add.
func (t *Tape) Linear(x *Tensor, w, b *Param, low ...LowRank) *Tensor {
	return t.linear("Linear", x.kind(), nil, x, w, b, low)
}

// Scores is Linear with a result in F32 whatever the type of x: numbers that are compared, sampled from or told.
func (t *Tape) Scores(x *Tensor, w, b *Param) *Tensor {
	return t.linear("Scores", accelerators.F32, nil, x, w, b, nil)
}

// LinearAdd is residual + Linear for a residual [T,out]. On an inference tape it works in place: the residual is gone, the
// result has its memory.
func (t *Tape) LinearAdd(residual, x *Tensor, w, b *Param, low ...LowRank) *Tensor {
	return t.linear("LinearAdd", x.kind(), residual, x, w, b, low)
}

func (t *Tape) linear(
	op string, kind accelerators.DType, residual, x *Tensor, w, b *Param, low []LowRank,
) *Tensor {
	t.linearRule(op, residual, x, w, b)
	if t.lowRankRule(op, w, low); t.err != nil {
		return &Tensor{}
	}
	if len(low) > 0 && low[0].Magnitude != nil {
		return t.rescaled(residual, x, w, b, low)
	}
	out := w.Shape[0]
	y, beta := t.sumOf(kind, residual, x.Rows, out)
	if t.err != nil {
		return y
	}
	t.product(y.Value, x, w, beta)
	if b != nil {
		t.dev.AddBias(y.Value, b.Value(), out)
	}
	inner := t.addLowRank(y.Value, out, x, low)
	return t.record(node{
		back: linearGrad, out: y, x: x, z: residual, w: w, b: b, low: low, saved: [3]accelerators.Buffer{inner},
	})
}

// sumOf is what a product adds to, and by how much of it: a copy of the residual, or itself where nothing needs it any
// more; a new tensor, of which nothing, without one.
func (t *Tape) sumOf(kind accelerators.DType, residual *Tensor, rows, cols int) (y *Tensor, beta float32) {
	if residual != nil && t.inference {
		return residual, 1
	}
	y = t.output(kind, rows, cols)
	if residual == nil || t.err != nil {
		return y, 0
	}
	t.dev.Copy(y.Value, residual.Value)
	return y, 1
}

// product: y = x W^T + beta*y for y [T,out].
func (t *Tape) product(y accelerators.Buffer, x *Tensor, w *Param, beta float32) {
	out, in := w.Shape[0], w.Shape[1]
	t.tiles(w, func(first int, rows accelerators.Buffer) {
		n := rows.Len / in
		t.dev.MatMul(y.Slice(first, y.Len-out+n), x.Value, rows, accelerators.MatMul{
			M: x.Rows, N: n, K: in, TransB: true, StrideC: out, Alpha: 1, Beta: beta, Compute: t.Compute,
		})
	})
}

func (t *Tape) linearRule(op string, residual, x *Tensor, w, b *Param) {
	if !w.isMatrix(x.Cols) {
		t.refuse("%s: x %v does not fit %v", op, x, w)
		return
	}
	if b != nil && !b.isVector(w.Shape[0]) {
		t.refuse("%s: bias %v does not fit %v", op, b, w)
	}
	if residual != nil && (residual.Rows != x.Rows || residual.Cols != w.Shape[0]) {
		t.refuse("%s: residual %v does not fit x %v and %v", op, residual, x, w)
	}
}

func linearGrad(t *Tape, n *node) {
	dy := n.out.grad
	if t.inputGrad(n, dy); t.err != nil {
		return
	}
	t.weightGrad(n.w, dy, n.x)
	t.lowRankGrad(n, dy)
	if n.b != nil && !n.b.frozen() {
		t.dev.BiasGrad(t.sumsFor(n.b), dy, n.out.Cols)
	}
	if n.z != nil {
		t.pass(n.out, n.z)
	}
}

// inputGrad adds dy W to x's gradient.
func (t *Tape) inputGrad(n *node, dy accelerators.Buffer) {
	beta := float32(0)
	if n.x.grad.Present() {
		beta = 1
	} else if n.x.grad = t.borrow(n.x.kind(), n.x.size()); t.err != nil {
		return
	}
	out, in := n.w.Shape[0], n.w.Shape[1]
	t.tiles(n.w, func(first int, rows accelerators.Buffer) {
		k := rows.Len / in
		t.dev.MatMul(n.x.grad, dy.Slice(first, dy.Len-out+k), rows, accelerators.MatMul{
			M: n.x.Rows, N: in, K: k, StrideA: out, Alpha: 1, Beta: beta, Compute: t.Compute,
		})
		beta = 1
	})
}

// weightGrad adds dy^T x to w's gradient.
func (t *Tape) weightGrad(w *Param, dy accelerators.Buffer, x *Tensor) {
	t.productGrad(w, dy, x.Value, accelerators.MatMul{K: x.Rows, Alpha: 1})
}

// productGrad adds dy^T x to the gradient of w [out,in] for dy [K,out] and x [K,in]; K, Alpha and strides are given.
func (t *Tape) productGrad(w *Param, dy, x accelerators.Buffer, s accelerators.MatMul) {
	if w.frozen() {
		return
	}
	s.M, s.N, s.TransA, s.Beta, s.Compute = w.Shape[0], w.Shape[1], true, 1, t.Compute
	if w.renew() {
		s.Beta = 0
	}
	t.dev.MatMul(w.Grad, dy, x, s)
}
