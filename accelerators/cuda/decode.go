//go:build cuda

package cuda

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// The blocks of decode.cu and decode_exact.cu.
const (
	decodeThreads = 128
	decodePart    = 256 // positions of a block
	decodeKeys    = 64  // of them, that are there at a time
	decodeFew     = 16  // rows, heads of queries, that a block has together: of few
	decodeMany    = 64  // or of many
	decodeExact   = 4   // or with products of f32
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
	if t.kind == accelerators.F32 {
		t.exactly(from, to, parts)
	} else {
		t.inTiles(from, to, parts)
	}
	join := shape{X: (to - from) * t.Heads, Y: 1, Z: 1, Threads: decodeThreads}
	t.d.launch("decode", "decode_join_"+t.kind.String(), join, t.arguments(from, to, t.out, t.parts)...)
}

// inTiles has products of bf16. How many queries share a block changes no bits: where there may be one of each
// sequence, each has its own, and otherwise as many as have room.
func (t *decode) inTiles(from, to, parts int) {
	rows, queries := decodeFew, 1
	group, columns := t.Heads/t.KVHeads, tileColumns(t.HeadDim)
	if t.Queries > t.Sequences {
		if decodeShared(decodeMany, columns) <= t.d.mostShared {
			rows = decodeMany
		}
		queries = max(1, rows/group)
	}
	s := shape{X: parts, Y: t.KVHeads * blocks(group, rows), Z: blocks(to-from, queries), Threads: decodeThreads}
	s.Shared = decodeShared(rows, columns)
	arguments := append(t.arguments(from, to, t.parts, t.q, t.cache), uint64(queries), uint64(rows), t.aligned())
	t.d.launch("decode", fmt.Sprintf("decode_%d_%v", columns, t.kind), s, arguments...)
}

// decodeShared is the shared memory of a block: queries, keys and values, the positions' places, and few rows' scores.
func decodeShared(rows, columns int) int {
	return 2*(rows+2*decodeKeys)*(columns+8) + 4*decodePart + 4*decodeFew*decodeKeys
}

// exactly has products of f32.
func (t *decode) exactly(from, to, parts int) {
	group, padded := t.Heads/t.KVHeads, blocks(t.HeadDim, 8)*8
	s := shape{X: parts, Y: t.KVHeads * blocks(group, decodeExact), Z: to - from, Threads: decodeThreads}
	s.Shared = 4 * (decodeExact*(padded+decodePart) + decodeThreads*8 + decodePart)
	arguments := append(t.arguments(from, to, t.parts, t.q, t.cache), t.aligned())
	t.d.launch("decode_exact", "decode_exact", s, arguments...)
}

// aligned says whether the rows that a block copies are whole 16 bytes on boundaries of 16.
func (t *decode) aligned() uint64 {
	return flag((uint64(t.HeadDim*t.kind.Size())|t.cache|t.q)%16 == 0)
}

func (t *decode) arguments(from, to int, own ...uint64) []uint64 {
	return append(own, t.table, t.owners, t.lengths, uint64(t.Pages), uint64(t.PageSize), uint64(t.Sequences),
		uint64(t.Columns), uint64(t.Heads), uint64(t.KVHeads), uint64(t.HeadDim), uint64(t.Window), f32(t.Scale),
		f32(t.Cap), uint64(from), uint64(to))
}
