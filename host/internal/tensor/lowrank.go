package tensor

import "github.com/carebot-llm/carebot/accelerators"

// A LowRank is a product of two small matrices beside rows of a large one that stays as it is: it adds
// Scale * x A^T B^T to as many outputs as B has rows, from output From on, for A [r,in] and B [out,r] (Hu et al. 2021).
// With a Magnitude [out], which then all products beside a matrix have, the rows W + Scale B A are rescaled to these
// norms (Liu et al. 2024); what norms they have is no part of the gradient, as in PEFT.
type LowRank struct {
	A, B      *Param
	From      int
	Scale     float32
	Magnitude *Param
}

func (l LowRank) rank() int { return l.A.Shape[0] }

func (t *Tape) lowRankRule(op string, w *Param, low []LowRank) {
	for _, l := range low {
		fits := l.A.isMatrix(w.Shape[1]) && l.B.isMatrix(l.rank()) && l.From >= 0 && l.From+l.B.Shape[0] <= w.Shape[0]
		if !fits {
			t.refuse("%s: low-rank %v and %v from row %d do not fit %v", op, l.A, l.B, l.From, w)
		}
		if l.Magnitude != nil && !(l.Magnitude.isVector(l.B.Shape[0]) && w.frozen()) {
			t.refuse("%s: magnitude %v does not fit %v, or %v is trained", op, l.Magnitude, l.B, w)
		}
	}
}

// addLowRank adds the products to y [T,width]. It returns their inner values x A^T, [T,r] of one after the other, for the way back.
func (t *Tape) addLowRank(y accelerators.Buffer, width int, x *Tensor, low []LowRank) accelerators.Buffer {
	if len(low) == 0 {
		return accelerators.Buffer{}
	}
	inner := t.take(x.kind(), innerSize(x, low))
	if t.err != nil {
		return inner
	}
	at := 0
	for _, l := range low {
		r, in, out := l.rank(), x.Cols, l.B.Shape[0]
		h := inner.Slice(at, x.Rows*r)
		a, b := t.factor(l.A), t.factor(l.B)
		if t.err != nil {
			return inner
		}
		t.dev.MatMul(h, x.Value, a,
			accelerators.MatMul{M: x.Rows, N: r, K: in, TransB: true, Alpha: 1, Compute: t.Compute})
		t.dev.MatMul(columns(y, width, l), h, b, accelerators.MatMul{
			M: x.Rows, N: out, K: r, TransB: true, StrideC: width, Alpha: l.Scale, Beta: 1, Compute: t.Compute,
		})
		at += aligned(h.Len)
	}
	return inner
}

func innerSize(x *Tensor, low []LowRank) int {
	n := 0
	for _, l := range low {
		n += aligned(x.Rows * l.rank())
	}
	return n
}

// columns is the part of y [T,width], values or gradient, that a product adds to: rows of B's height, width apart.
func columns(y accelerators.Buffer, width int, l LowRank) accelerators.Buffer {
	return y.Slice(l.From, y.Len-width+l.B.Shape[0])
}

// lowRankGrad adds the gradients of A, B and x, which has one already, for that of the outputs.
func (t *Tape) lowRankGrad(n *node, dout accelerators.Buffer) {
	at, width := 0, n.out.Cols
	for _, l := range n.low {
		rows, r, in, out := n.x.Rows, l.rank(), n.x.Cols, l.B.Shape[0]
		h, dh := n.saved[0].Slice(at, rows*r), t.borrow(n.x.kind(), rows*r)
		a, b := t.factor(l.A), t.factor(l.B)
		if t.err != nil {
			return
		}
		dy := columns(dout, width, l)
		t.dev.MatMul(dh, dy, b, accelerators.MatMul{
			M: rows, N: r, K: out, StrideA: width, Alpha: l.Scale, Compute: t.Compute,
		})
		t.productGrad(l.B, dy, h, accelerators.MatMul{K: rows, StrideA: width, Alpha: l.Scale})
		t.productGrad(l.A, dh, n.x.Value, accelerators.MatMul{K: rows, Alpha: 1})
		t.dev.MatMul(n.x.grad, dh, a,
			accelerators.MatMul{M: rows, N: in, K: r, Alpha: 1, Beta: 1, Compute: t.Compute})
		t.giveBack(dh)
		t.learns(l.A)
		t.learns(l.B)
		at += aligned(h.Len)
	}
}
