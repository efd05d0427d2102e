//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// The blocks of decode.cu.
const (
	decodeThreads = 128
	decodePart    = 256 // positions of a block
	decodeRows    = 4   // heads and queries that share a block
)

// decodeMemory bounds the parts of outputs that wait to be joined, in bytes.
const decodeMemory = 64 << 20

// AttentionDecode attends each query to the last Window (or all) of the cached positions that it sees. A query that
// sees none gets zeros. A query's result does not depend on the others, nor on where its pages lie.
func (d *Device) AttentionDecode(out, q, cache accelerators.Buffer, s accelerators.AttentionDecode) {
	c := d.call("AttentionDecode")
	c.heads(s.Heads, s.KVHeads, s.HeadDim)
	if s.Window < 0 {
		c.fail("Window must not be negative")
	}
	if s.Cap < 0 {
		c.fail("Cap must not be negative")
	}
	queries := c.size(s.Queries, s.Heads, s.HeadDim)
	t := decode{AttentionDecode: s, d: d}
	t.out, t.q = c.write("out", out, queries), c.read("q", q, queries)
	t.cache = c.read("cache", cache, c.size(s.Pages, 2, s.PageSize, s.KVHeads, s.HeadDim))
	t.table = c.ids("Table", s.Table, c.size(s.Sequences, s.Columns), 0, s.Pages)
	t.owners = c.ids("Owners", s.Owners, s.Queries, 0, s.Sequences)
	t.lengths = c.ids("Lengths", s.Lengths, s.Queries, 0, c.size(s.Columns, s.PageSize)+1)
	if !passed(c, s) || s.Queries == 0 {
		return
	}
	t.kind = c.kind
	t.run()
}

// decode is one operation on cached sequences.
type decode struct {
	accelerators.AttentionDecode
	d                      *Device
	kind                   accelerators.DType
	out, q, cache          uint64
	table, owners, lengths uint64
	parts                  uint64
}

// run does as many queries at a time as have room for the parts of their outputs.
func (t *decode) run() {
	parts := max(1, blocks(t.Columns*t.PageSize, decodePart))
	bytes := t.Heads * parts * (2 + t.HeadDim) * accelerators.F32.Size()
	most := min(max(1, decodeMemory/bytes), 1<<15)
	t.parts = t.d.scratch(slotParts, min(most, t.Queries)*bytes)
	for from := 0; from < t.Queries; from += most {
		t.some(from, min(from+most, t.Queries), parts)
	}
}

// some does the queries [from, to).
func (t *decode) some(from, to, parts int) {
	group := t.Heads / t.KVHeads
	s := shape{X: parts, Y: t.KVHeads * blocks(group, decodeRows), Z: to - from, Threads: decodeThreads}
	padded := blocks(t.HeadDim, 8) * 8
	s.Shared = 4 * (decodeRows*(padded+decodePart) + decodeThreads*8 + decodePart)
	aligned := t.HeadDim*t.kind.Size()%16 == 0 && t.cache%16 == 0
	arguments := append(t.arguments(from, to, t.parts, t.q, t.cache), flag(aligned))
	t.d.launch("decode", "decode_"+t.kind.String(), s, arguments...)
	s = shape{X: blocks(32*(to-from)*t.Heads, decodeThreads), Y: 1, Z: 1, Threads: decodeThreads}
	t.d.launch("decode", "decode_join_"+t.kind.String(), s, t.arguments(from, to, t.out, t.parts)...)
}

func (t *decode) arguments(from, to int, own ...uint64) []uint64 {
	return append(own, t.table, t.owners, t.lengths, uint64(t.Pages), uint64(t.PageSize), uint64(t.Sequences),
		uint64(t.Columns), uint64(t.Heads), uint64(t.KVHeads), uint64(t.HeadDim), uint64(t.Window), f32(t.Scale),
		f32(t.Cap), uint64(from), uint64(to))
}
