package tensor

import "github.com/carebot-llm/carebot/accelerators"

// RMSNorm divides each row by its root mean square and scales it by w [C].
func (t *Tape) RMSNorm(x *Tensor, w *Param, eps float32) *Tensor {
	if !w.isVector(x.Cols) {
		t.refuse("RMSNorm: x %v does not fit %v", x, w)
	}
	y := t.output(x.Rows, x.Cols)
	rstd := t.save(x.Rows)
	if t.err != nil {
		return y
	}
	t.dev.RMSNorm(y.Value, rstd, x.Value, w.Value, x.Cols, eps)
	return t.record(node{back: rmsNormGrad, out: y, x: x, w: w, saved: [2]accelerators.Buffer{rstd}})
}

func rmsNormGrad(t *Tape, n *node) {
	dx, dw := t.accumulator(n.x), t.sumsFor(n.w)
	if t.err == nil {
		t.dev.RMSNormGrad(dx, dw, n.out.grad, n.x.Value, n.w.Value, n.saved[0], n.x.Cols)
	}
	t.doneWith(n.w, dw)
}

// LayerNorm normalises each row to mean 0 and variance 1, scales it by w [C] and shifts it by b [C].
func (t *Tape) LayerNorm(x *Tensor, w, b *Param, eps float32) *Tensor {
	if !w.isVector(x.Cols) || !b.isVector(x.Cols) {
		t.refuse("LayerNorm: x %v does not fit %v and %v", x, w, b)
	}
	y := t.output(x.Rows, x.Cols)
	mean, rstd := t.save(x.Rows), t.save(x.Rows)
	if t.err != nil {
		return y
	}
	t.dev.LayerNorm(y.Value, mean, rstd, x.Value, w.Value, b.Value, x.Cols, eps)
	return t.record(node{back: layerNormGrad, out: y, x: x, w: w, b: b, saved: [2]accelerators.Buffer{mean, rstd}})
}

func layerNormGrad(t *Tape, n *node) {
	dx, dw, db := t.accumulator(n.x), t.sumsFor(n.w), t.sumsFor(n.b)
	if t.err == nil {
		t.dev.LayerNormGrad(dx, dw, db, n.out.grad, n.x.Value, n.w.Value, n.saved[0], n.saved[1], n.x.Cols)
	}
	t.doneWith(n.b, db)
	t.doneWith(n.w, dw)
}
