package tensor

import "github.com/carebot-llm/carebot/accelerators"

// A Norm is the weights of a norm by the root mean square. FromOne is Gemma's way: the weights are what is added to
// one.
type Norm struct {
	Weight  *Param
	Eps     float32
	FromOne bool
}

// gain is what rows are multiplied with, in memory of the tape's where that is not the weights themselves.
func (t *Tape) gain(n Norm) accelerators.Buffer {
	if !n.FromOne {
		return n.Weight.Value()
	}
	gain := t.save(n.Weight.Size())
	if t.err == nil {
		t.dev.Fill(gain, 1)
		t.dev.Axpy(gain, n.Weight.Value(), 1)
	}
	return gain
}

// RMSNorm divides each row by its root mean square and scales it by the weights [C].
func (t *Tape) RMSNorm(x *Tensor, n Norm) *Tensor {
	if !n.Weight.isVector(x.Cols) {
		t.refuse("RMSNorm: x %v does not fit %v", x, n.Weight)
	}
	y := t.output(x.kind(), x.Rows, x.Cols)
	rstd, gain := t.save(x.Rows), t.gain(n)
	if t.err != nil {
		return y
	}
	t.dev.RMSNorm(y.Value, rstd, x.Value, gain, x.Cols, n.Eps)
	return t.record(node{back: rmsNormGrad, out: y, x: x, w: n.Weight, saved: [3]accelerators.Buffer{rstd, gain}})
}

func rmsNormGrad(t *Tape, n *node) {
	dx, dw := t.accumulator(n.x), t.sumsFor(n.w)
	if t.err == nil {
		t.dev.RMSNormGrad(dx, dw, n.out.grad, n.x.Value, n.saved[1], n.saved[0], n.x.Cols)
	}
	t.doneWith(n.w, dw)
}

// LayerNorm normalises each row to mean 0 and variance 1, scales it by w [C] and shifts it by b [C].
func (t *Tape) LayerNorm(x *Tensor, w, b *Param, eps float32) *Tensor {
	if !w.isVector(x.Cols) || !b.isVector(x.Cols) {
		t.refuse("LayerNorm: x %v does not fit %v and %v", x, w, b)
	}
	y := t.output(x.kind(), x.Rows, x.Cols)
	mean, rstd := t.save(x.Rows), t.save(x.Rows)
	if t.err != nil {
		return y
	}
	t.dev.LayerNorm(y.Value, mean, rstd, x.Value, w.Value(), b.Value(), x.Cols, eps)
	return t.record(node{back: layerNormGrad, out: y, x: x, w: w, b: b, saved: [3]accelerators.Buffer{mean, rstd}})
}

func layerNormGrad(t *Tape, n *node) {
	dx, dw, db := t.accumulator(n.x), t.sumsFor(n.w), t.sumsFor(n.b)
	if t.err == nil {
		t.dev.LayerNormGrad(dx, dw, db, n.out.grad, n.x.Value, n.w.Value(), n.saved[0], n.saved[1], n.x.Cols)
	}
	t.doneWith(n.b, db)
	t.doneWith(n.w, dw)
}
