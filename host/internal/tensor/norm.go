package tensor

// RMSNorm divides each row by its root mean square and scales it by w [C].
func (t *Tape) RMSNorm(x *Tensor, w *Param, eps float32) *Tensor {
	t.trainable("RMSNorm", w)
	t.require(w.isVector(x.Cols), "RMSNorm: x %v does not fit %v", x, w)
	y := t.output(x.Rows, x.Cols)
	rstd := t.save(x.Rows)
	if t.err != nil {
		return y
	}
	t.dev.RMSNorm(y.Value, rstd, x.Value, w.Value, x.Cols, eps)
	return t.record(y, func() {
		if dx := t.accumulator(x); t.err == nil {
			t.dev.RMSNormGrad(dx, w.Grad, y.grad, x.Value, w.Value, rstd, x.Cols)
		}
	})
}

// LayerNorm normalises each row to mean 0 and variance 1, scales it by w [C] and shifts it by b [C].
func (t *Tape) LayerNorm(x *Tensor, w, b *Param, eps float32) *Tensor {
	t.trainable("LayerNorm", w, b)
	t.require(w.isVector(x.Cols) && b.isVector(x.Cols), "LayerNorm: x %v does not fit %v and %v", x, w, b)
	y := t.output(x.Rows, x.Cols)
	mean, rstd := t.save(x.Rows), t.save(x.Rows)
	if t.err != nil {
		return y
	}
	t.dev.LayerNorm(y.Value, mean, rstd, x.Value, w.Value, b.Value, x.Cols, eps)
	return t.record(y, func() {
		if dx := t.accumulator(x); t.err == nil {
			t.dev.LayerNormGrad(dx, w.Grad, b.Grad, y.grad, x.Value, w.Value, mean, rstd, x.Cols)
		}
	})
}
