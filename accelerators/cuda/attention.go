//go:build cuda

package cuda

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// attention is one operation on packed sequences.
type attention struct {
	accelerators.Attention
	d       *Device
	q, k, v uint64
	offsets uint64
	kind    accelerators.DType
	aligned bool // operands come in whole 16 bytes
}

// The kernels' blocks.
const (
	attentionThreads = 128
	attentionKeys    = 64 // that stream by at a time
	exactRows        = 16 // of a block with products of f32
	exactOthers      = 128
	mostHeadDim      = 256
)

// Attention: out = softmax(scale q k^T + mask) v and the log-sum-exp of the scores of each token and head.
func (d *Device) Attention(out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	c := d.call("Attention")
	a := c.attention(q, k, v, s)
	outs := c.write("out", out, c.size(s.Tokens, s.Heads, s.HeadDim))
	lses := c.writeF32("lse", lse, c.size(s.Tokens, s.Heads))
	if !passed(c, attentionShape(s)) || !a.checkOffsets(c.op) {
		return
	}
	a.kind = c.kind
	a.aligned = a.inChunks(a.q, a.k, a.v)
	family, name, shape := "attention", "", shape{}
	rows := a.rowsWithin(func(rows int) int { return (rows + 2*attentionKeys) * a.rowBytes() })
	if rows > 0 {
		name, shape = a.instance("attention", rows), a.over(rows, a.Heads)
		shape.Shared = (rows + 2*attentionKeys) * a.rowBytes()
	} else {
		family, name, shape = "attention_exact", "attention_exact_"+a.kind.String(), a.exactly(a.Heads)
	}
	d.launch(family, name, shape, a.arguments(outs, lses, a.q, a.k, a.v)...)
}

// attentionShape is what an error shows: the description without its buffer.
func attentionShape(s accelerators.Attention) accelerators.Attention {
	s.Offsets = accelerators.Buffer{}
	return s
}

// attention checks what forward and backward have in common.
func (c *call) attention(q, k, v accelerators.Buffer, s accelerators.Attention) attention {
	c.heads(s.Heads, s.KVHeads, s.HeadDim)
	c.positive("Tokens", s.Tokens+1)
	c.positive("Sequences", s.Sequences+1)
	if s.Window < 0 {
		c.fail("Window must not be negative")
	}
	if s.Cap < 0 {
		c.fail("Cap must not be negative")
	}
	queries, keys := c.size(s.Heads, s.HeadDim), c.size(s.KVHeads, s.HeadDim)
	a := attention{Attention: s, d: c.dev}
	a.q = c.read("q", q, c.span(s.Tokens, s.StrideQ, queries))
	a.k = c.read("k", k, c.span(s.Tokens, s.StrideK, keys))
	a.v = c.read("v", v, c.span(s.Tokens, s.StrideV, keys))
	a.offsets = c.i32("Offsets", s.Offsets, c.size(s.Sequences)+1)
	if c.kind == accelerators.BF16 && s.Compute != accelerators.BF16 {
		c.fail("operands are bf16, so Compute must be")
	}
	return a
}

// heads checks the sizes of attention heads.
func (c *call) heads(heads, kvHeads, dim int) {
	c.positive("Heads", heads)
	c.positive("KVHeads", kvHeads)
	c.positive("HeadDim", dim)
	if dim > mostHeadDim {
		c.fail("HeadDim is %d, want at most %d", dim, mostHeadDim)
	}
	if !c.skip && heads%kvHeads != 0 {
		c.fail("%d heads do not divide among %d key-value heads", heads, kvHeads)
	}
}

// checkOffsets has the device check the offsets, and reports whether there is anything to do. Kernels leave sequences
// alone that offsets out of order would make, wherever these point.
func (a *attention) checkOffsets(op string) bool {
	rule := fmt.Sprintf("sequences of 0 to %d tokens, from 0 to %d", a.MaxLen, a.Tokens)
	number := a.d.number(rangeCheck{op: op, name: "Offsets", at: a.offsets, rule: rule})
	a.d.launch("attention", "check_offsets", covering(a.Sequences+1), a.offsets, uint64(a.Sequences), uint64(a.Tokens),
		uint64(a.MaxLen), number, uint64(a.d.faults.word))
	return a.Tokens > 0 && a.Sequences > 0
}

// inChunks says whether bf16 rows at these addresses are whole 16 bytes on boundaries of 16.
func (a *attention) inChunks(addresses ...uint64) bool {
	all := uint64((a.HeadDim | a.StrideQ | a.StrideK | a.StrideV) * 2)
	for _, at := range addresses {
		all |= at
	}
	return a.kind == accelerators.BF16 && all%16 == 0
}

// tileColumns is the least width of a tile that holds a head.
func tileColumns(headDim int) int {
	switch {
	case headDim <= 64:
		return 64
	case headDim <= 96:
		return 96
	case headDim <= 128:
		return 128
	}
	return mostHeadDim
}

func (a *attention) columns() int { return tileColumns(a.HeadDim) }

// rowBytes is what a row of a tile takes of shared memory.
func (a *attention) rowBytes() int { return 2 * (a.columns() + 8) }

// rowsWithin is how many queries a block has, as far as the shared memory that they need is there; 0 means that
// products are f32's, or have to be.
func (a *attention) rowsWithin(bytes func(rows int) int) int {
	rows := 128
	if a.kind == accelerators.F32 || a.columns() == mostHeadDim {
		rows = 64
	}
	if bytes(rows) > a.d.mostShared && a.columns() == 128 {
		rows = 64
	}
	if a.Compute == accelerators.F32 || bytes(rows) > a.d.mostShared {
		return 0
	}
	return rows
}

func (a *attention) instance(kernel string, rows int) string {
	return fmt.Sprintf("%s_%d_%d_%v", kernel, a.columns(), rows, a.kind)
}

// over is a block for each of so many rows of each sequence, by heads. A sequence's blocks are found by its offset,
// which needs at most one more for each.
func (a *attention) over(rows, heads int) shape {
	return shape{X: a.Tokens/rows + a.Sequences, Y: heads, Z: 1, Threads: attentionThreads}
}

// exactly is the shape of the kernels with products of f32.
func (a *attention) exactly(heads int) shape {
	s := a.over(exactRows, heads)
	s.Shared = exactRows * 2 * (a.HeadDim + exactOthers) * accelerators.F32.Size()
	return s
}

// arguments are a kernel's own and those of the shape.
func (a *attention) arguments(own ...uint64) []uint64 {
	return append(own, a.offsets, uint64(a.Sequences), uint64(a.Tokens), uint64(a.Heads), uint64(a.KVHeads),
		uint64(a.HeadDim), uint64(a.StrideQ), uint64(a.StrideK), uint64(a.StrideV), flag(a.Causal), uint64(a.Window),
		f32(a.Scale), f32(a.Cap), flag(a.aligned))
}
