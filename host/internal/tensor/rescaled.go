package tensor

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// rescaled is residual + gain * (x W^T + low-rank products) + b with a gain for each output: its magnitude over the norm
// of its row of W + Scale B A, or 1 where no product is.
func (t *Tape) rescaled(residual, x *Tensor, w, b *Param, low []LowRank) *Tensor {
	out := w.Shape[0]
	y := t.output(x.kind(), x.Rows, out)
	raw, gains := t.take(x.kind(), y.size()), t.save(2*out)
	if t.err != nil {
		return y
	}
	t.product(raw, x, w, 0)
	inner := t.addLowRank(raw, out, x, low)
	t.gains(gains, w, low)
	t.timesRow(y.Value, raw, gains.Slice(0, out))
	if t.err != nil {
		return y
	}
	if residual != nil {
		t.dev.Axpy(y.Value, residual.Value, 1)
	}
	if b != nil {
		t.dev.AddBias(y.Value, b.Value(), out)
	}
	return t.record(node{
		back: rescaledGrad, out: y, x: x, z: residual, w: w, b: b, low: low, saved: [3]accelerators.Buffer{inner, raw, gains},
	})
}

// gains fills [2,out]: the gain of each output, then one over its norm, which is 1 where no product is.
func (t *Tape) gains(gains accelerators.Buffer, w *Param, low []LowRank) {
	in := w.Shape[1]
	t.dev.Fill(gains, 1)
	ones := t.borrow(accelerators.F32, in)
	if t.err != nil {
		return
	}
	t.dev.Fill(ones, 1)
	t.tiles(w, func(first int, rows accelerators.Buffer) {
		for _, l := range low {
			from, to := max(first, l.From), min(first+rows.Len/in, l.From+l.B.Shape[0])
			if from < to {
				t.gainsOf(gains, rows.Slice((from-first)*in, (to-from)*in), ones, l, from)
			}
		}
	})
	t.giveBack(ones)
}

// gainsOf fills the gains of some of the rows beside which l is: those of W, from the output from on.
func (t *Tape) gainsOf(gains, w, ones accelerators.Buffer, l LowRank, from int) {
	out, in, r := gains.Len/2, ones.Len, l.rank()
	rows := w.Len / in
	sum, unit := t.borrow(accelerators.F32, w.Len), t.borrow(accelerators.F32, w.Len)
	if t.err != nil {
		return
	}
	gain, inverse := gains.Slice(from, rows), gains.Slice(out+from, rows)
	t.dev.Copy(sum, w)
	t.dev.MatMul(sum, l.B.Value().Slice((from-l.From)*r, rows*r), l.A.Value(),
		accelerators.MatMul{M: rows, N: in, K: r, Alpha: l.Scale, Beta: 1})
	t.dev.RMSNorm(unit, inverse, sum, ones, in, 0)
	t.dev.Scale(inverse, float32(1/math.Sqrt(float64(in))))
	t.dev.Mul(gain, inverse, l.Magnitude.Value().Slice(from-l.From, rows))
	t.giveBack(unit)
	t.giveBack(sum)
}

// timesRow multiplies each row of x with row: y = x * 1 row^T.
func (t *Tape) timesRow(y, x, row accelerators.Buffer) {
	tokens := x.Len / row.Len
	ones, spread := t.borrow(x.Type, tokens), t.borrow(x.Type, x.Len)
	if t.err != nil {
		return
	}
	t.dev.Fill(ones, 1)
	t.dev.MatMul(spread, ones, row, accelerators.MatMul{M: tokens, N: row.Len, K: 1, Alpha: 1, Compute: x.Type})
	t.dev.Mul(y, x, spread)
	t.giveBack(spread)
	t.giveBack(ones)
}

func rescaledGrad(t *Tape, n *node) {
	dy, out := n.out.grad, n.out.Cols
	raw, gains := n.saved[1], n.saved[2]
	draw := t.borrow(raw.Type, raw.Len)
	if t.timesRow(draw, dy, gains.Slice(0, out)); t.err != nil {
		return
	}
	if t.inputGrad(n, draw); t.err != nil {
		return
	}
	t.lowRankGrad(n, draw)
	t.giveBack(draw)
	t.magnitudeGrad(n, raw, gains.Slice(out, out))
	if n.b != nil && !n.b.frozen() {
		t.dev.BiasGrad(t.sumsFor(n.b), dy, out)
	}
	if n.z != nil {
		t.pass(n.out, n.z)
	}
}

// magnitudeGrad adds to the magnitudes' gradients: over all tokens the sum of dy * raw / norm.
func (t *Tape) magnitudeGrad(n *node, raw, inverse accelerators.Buffer) {
	products := t.borrow(raw.Type, raw.Len)
	sums, part := t.borrow(accelerators.F32, inverse.Len), t.borrow(accelerators.F32, inverse.Len)
	if t.err != nil {
		return
	}
	t.dev.Mul(products, n.out.grad, raw)
	t.dev.Fill(sums, 0)
	t.dev.BiasGrad(sums, products, inverse.Len)
	for _, l := range n.low {
		rows := l.B.Shape[0]
		part := part.Slice(0, rows)
		t.dev.Mul(part, sums.Slice(l.From, rows), inverse.Slice(l.From, rows))
		t.learns(l.Magnitude)
		t.dev.Axpy(t.sumsFor(l.Magnitude), part, 1)
	}
	t.giveBack(part)
	t.giveBack(sums)
	t.giveBack(products)
}
