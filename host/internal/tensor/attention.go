package tensor

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// Heads is the layout of one attention layer. A row of qkv holds Query heads of queries, then KV heads of keys, then KV
// heads of values, each Dim wide; Query is a multiple of KV.
type Heads struct {
	Query, KV, Dim int
	Causal         bool
	Window         int     // how far back a token sees, itself included; 0 is everything
	Scale          float32 // of the products of queries and keys; 0 is 1/sqrt(Dim)
	Cap            float32 // > 0 bends scores to Cap*tanh(score/Cap)
}

// Width is the length of a row of qkv.
func (h Heads) Width() int { return (h.Query + 2*h.KV) * h.Dim }

func (h Heads) scale() float32 {
	if h.Scale != 0 {
		return h.Scale
	}
	return float32(1 / math.Sqrt(float64(h.Dim)))
}

// Rotary is what RoPE rotates by: tables [positions, Dim/2] on the device, and the position of each row.
type Rotary struct {
	Cos, Sin  accelerators.Buffer
	Positions *Ints
}

// RoPE rotates the queries and keys in rows of qkv by their positions. It works in place: x is gone, the result has its
// memory. x must come from an operation whose gradient does not read its own result (Linear), and nothing else may have
// read it.
func (t *Tape) RoPE(x *Tensor, h Heads, r Rotary) *Tensor {
	if x.Cols != h.Width() {
		t.refuse("RoPE: qkv %v for %+v", x, h)
	}
	if r.Positions.Len != x.Rows {
		t.refuse("RoPE: %d positions for qkv %v", r.Positions.Len, x)
	}
	y := t.tensors.next()
	y.Rows, y.Cols, y.Value, y.mark = x.Rows, x.Cols, x.Value, len(t.held)
	if t.err != nil {
		return y
	}
	t.dev.RoPE(y.Value, r.Cos, r.Sin, r.Positions.buf, h.rotation(false))
	return t.record(node{back: ropeGrad, out: y, x: x, heads: h, packing: Packing{Rotary: r}})
}

func ropeGrad(t *Tape, n *node) {
	r := n.packing.Rotary
	t.dev.RoPE(n.out.grad, r.Cos, r.Sin, r.Positions.buf, n.heads.rotation(true))
	t.pass(n.out, n.x)
}

func (h Heads) rotation(inverse bool) accelerators.RoPE {
	return accelerators.RoPE{Heads: h.Query + h.KV, Dim: h.Dim, Stride: h.Width(), Inverse: inverse}
}

// Attention is softmax(scale q k^T) v within each sequence, for qkv [T, Width]; the result is [T, Query*Dim].
func (t *Tape) Attention(qkv *Tensor, h Heads, seg *Segments) *Tensor {
	if qkv.Cols != h.Width() {
		t.refuse("Attention: qkv %v for %+v", qkv, h)
	}
	if t.err == nil && qkv.Rows != seg.Tokens() {
		t.refuse("Attention: qkv %v, sequences of %v tokens", qkv, seg.Offsets)
	}
	y := t.output(qkv.kind(), qkv.Rows, h.Query*h.Dim)
	lse := t.save(qkv.Rows * h.Query)
	if t.err != nil {
		return y
	}
	q, k, v := h.split(qkv.Value)
	t.dev.Attention(y.Value, lse, q, k, v, t.packed(h, seg))
	return t.record(node{
		back: attentionGrad, out: y, x: qkv, heads: h, packing: Packing{Segments: seg},
		saved: [3]accelerators.Buffer{lse},
	})
}

func attentionGrad(t *Tape, n *node) {
	d := t.borrow(n.x.kind(), n.x.size())
	if t.err != nil {
		return
	}
	q, k, v := n.heads.split(n.x.Value)
	dq, dk, dv := n.heads.split(d)
	y, lse := n.out, n.saved[0]
	t.dev.AttentionGrad(dq, dk, dv, y.grad, y.Value, lse, q, k, v, t.packed(n.heads, n.packing.Segments))
	t.give(n.x, d)
}

// split returns the windows in which queries, keys and values start; their rows are Width apart.
func (h Heads) split(qkv accelerators.Buffer) (q, k, v accelerators.Buffer) {
	at := func(head int) accelerators.Buffer { return qkv.Slice(head*h.Dim, qkv.Len-head*h.Dim) }
	return at(0), at(h.Query), at(h.Query + h.KV)
}

func (t *Tape) packed(h Heads, seg *Segments) accelerators.Attention {
	return accelerators.Attention{
		Tokens: seg.Tokens(), Heads: h.Query, KVHeads: h.KV, HeadDim: h.Dim,
		StrideQ: h.Width(), StrideK: h.Width(), StrideV: h.Width(),
		Offsets: seg.buf, Sequences: seg.Count(), MaxLen: seg.MaxLen,
		Causal: h.Causal, Window: h.Window, Scale: h.scale(), Cap: h.Cap, Compute: t.Compute,
	}
}
