package tensor

import "github.com/carebot-llm/carebot/accelerators"

// HeadNorm divides each query and each key in rows of qkv by its root mean square and scales it by the weights [Dim] of
// its norm. Values pass unchanged.
func (t *Tape) HeadNorm(qkv *Tensor, h Heads, query, key Norm) *Tensor {
	if qkv.Cols != h.Width() {
		t.refuse("HeadNorm: qkv %v for %+v", qkv, h)
	}
	if !query.Weight.isVector(h.Dim) || !key.Weight.isVector(h.Dim) {
		t.refuse("HeadNorm: heads of %d do not fit %v and %v", h.Dim, query.Weight, key.Weight)
	}
	y := t.output(qkv.kind(), qkv.Rows, qkv.Cols)
	rstd, gains := t.save(qkv.Rows*(h.Query+h.KV)), [2]accelerators.Buffer{t.gain(query), t.gain(key)}
	if t.err != nil {
		return y
	}
	t.dev.Copy(y.Value, qkv.Value)
	for i, part := range h.normed(qkv.Rows, query.Eps, key.Eps) {
		t.dev.HeadNorm(part.of(y.Value), part.stats(rstd), part.of(qkv.Value), gains[i], part.HeadNorm)
	}
	return t.record(node{
		back: headNormGrad, out: y, x: qkv, w: query.Weight, b: key.Weight, heads: h,
		saved: [3]accelerators.Buffer{rstd, gains[0], gains[1]},
	})
}

func headNormGrad(t *Tape, n *node) {
	dx := t.borrow(n.x.kind(), n.x.size())
	if t.err != nil {
		return
	}
	t.dev.Copy(dx, n.out.grad)
	for i, part := range n.heads.normed(n.x.Rows, 0, 0) {
		w := [2]*Param{n.w, n.b}[i]
		dw := t.sumsFor(w)
		if t.err == nil {
			dy, x, rstd := part.of(n.out.grad), part.of(n.x.Value), part.stats(n.saved[0])
			t.dev.HeadNormGrad(part.of(dx), dw, dy, x, n.saved[1+i], rstd, part.HeadNorm)
		}
		t.doneWith(w, dw)
	}
	t.give(n.x, dx)
}

// A normedPart is the queries or the keys in rows of qkv.
type normedPart struct {
	accelerators.HeadNorm
	first int // head in a row
}

// normed are the queries, then the keys.
func (h Heads) normed(rows int, query, key float32) [2]normedPart {
	s := accelerators.HeadNorm{Tokens: rows, Heads: h.Query, Dim: h.Dim, Stride: h.Width(), Eps: query}
	k := s
	k.Heads, k.Eps = h.KV, key
	return [2]normedPart{{s, 0}, {k, h.Query}}
}

// of is the window of the part in a buffer of the shape of qkv.
func (p normedPart) of(qkv accelerators.Buffer) accelerators.Buffer {
	off := p.first * p.Dim
	return qkv.Slice(off, qkv.Len-off)
}

// stats is the part's window of a number for each head, those of the queries first.
func (p normedPart) stats(rstd accelerators.Buffer) accelerators.Buffer {
	return rstd.Slice(p.Tokens*p.first, p.Tokens*p.Heads)
}
