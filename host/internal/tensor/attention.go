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
	Window         int // how far back a token sees, itself included; 0 is everything
}

// Width is the length of a row of qkv.
func (h Heads) Width() int { return (h.Query + 2*h.KV) * h.Dim }

func (h Heads) scale() float32 { return float32(1 / math.Sqrt(float64(h.Dim))) }

// Rotary is what RoPE rotates by: tables [positions, Dim/2] on the device, and the position of each row.
type Rotary struct {
	Cos, Sin  accelerators.Buffer
	Positions *Ints
}

// RoPE rotates the queries and keys in rows of qkv by their positions. It works in place: x is gone, the result has its
// memory. x must come from an operation whose gradient does not read its own result (Linear), and nothing else may have
// read it.
func (t *Tape) RoPE(x *Tensor, h Heads, r Rotary) *Tensor {
	t.require(x.Cols == h.Width(), "RoPE: qkv %v for %+v", x, h)
	t.require(r.Positions.Len == x.Rows, "RoPE: %d positions for qkv %v", r.Positions.Len, x)
	y := &Tensor{Rows: x.Rows, Cols: x.Cols, Value: x.Value, block: x.block, mark: len(t.held)}
	if t.err != nil {
		return y
	}
	s := accelerators.RoPE{Heads: h.Query + h.KV, Dim: h.Dim, Stride: x.Cols}
	t.dev.RoPE(y.Value, r.Cos, r.Sin, r.Positions.buf, s)
	return t.record(y, func() {
		s.Inverse = true
		t.dev.RoPE(y.grad, r.Cos, r.Sin, r.Positions.buf, s)
		t.pass(y, x)
	})
}

// Attention is softmax(q k^T / sqrt(Dim)) v within each sequence, for qkv [T, Width]; the result is [T, Query*Dim].
func (t *Tape) Attention(qkv *Tensor, h Heads, seg *Segments) *Tensor {
	t.require(qkv.Cols == h.Width(), "Attention: qkv %v for %+v", qkv, h)
	t.require(t.err != nil || qkv.Rows == seg.Tokens(), "Attention: qkv %v, sequences of %v tokens", qkv, seg.Offsets)
	y := t.output(qkv.Rows, h.Query*h.Dim)
	lse := t.save(qkv.Rows * h.Query)
	if t.err != nil {
		return y
	}
	s := h.packed(seg)
	q, k, v := h.split(qkv.Value)
	t.dev.Attention(y.Value, lse, q, k, v, s)
	return t.record(y, func() {
		t.assign(qkv, func(d accelerators.Buffer) {
			dq, dk, dv := h.split(d)
			t.dev.AttentionGrad(dq, dk, dv, y.grad, y.Value, lse, q, k, v, s)
		})
	})
}

// split returns the windows in which queries, keys and values start; their rows are Width apart.
func (h Heads) split(qkv accelerators.Buffer) (q, k, v accelerators.Buffer) {
	at := func(head int) accelerators.Buffer { return qkv.Slice(head*h.Dim, qkv.Len-head*h.Dim) }
	return at(0), at(h.Query), at(h.Query + h.KV)
}

func (h Heads) packed(seg *Segments) accelerators.Attention {
	return accelerators.Attention{
		Tokens: seg.Tokens(), Heads: h.Query, KVHeads: h.KV, HeadDim: h.Dim,
		StrideQ: h.Width(), StrideK: h.Width(), StrideV: h.Width(),
		Offsets: seg.buf, Sequences: seg.Count(), MaxLen: seg.MaxLen,
		Causal: h.Causal, Window: h.Window, Scale: h.scale(),
	}
}
