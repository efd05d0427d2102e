package tensor

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Cache keeps the keys and values of generated sequences: for every layer one buffer of keys, then values, each
// [Sequences, Capacity, KV*Dim].
type Cache struct {
	Sequences, Capacity int

	heads  Heads
	layers []accelerators.Buffer
	arena  *Arena
}

// NewCache takes an empty cache from the arena. Free gives it back.
func NewCache(dev accelerators.Device, arena *Arena, layers, sequences, capacity int, h Heads) (*Cache, error) {
	c := &Cache{Sequences: sequences, Capacity: capacity, heads: h, arena: arena}
	for range layers {
		b, err := arena.Get(accelerators.F32, 2*c.half())
		if err != nil {
			c.Free()
			return nil, fmt.Errorf("allocate a cache of %d x %d tokens: %w", sequences, capacity, err)
		}
		dev.Fill(b, 0)
		c.layers = append(c.layers, b)
	}
	return c, nil
}

// Free returns the memory to the arena.
func (c *Cache) Free() {
	for _, b := range c.layers {
		c.arena.Put(b)
	}
	c.layers = nil
}

func (c *Cache) half() int { return c.Sequences * c.Capacity * c.heads.KV * c.heads.Dim }

// A Slot is a place of a cache: token number At of sequence Sequence. A row for which At is Nowhere is not stored.
type Slot struct{ Sequence, At int }

// Nowhere is the place of rows that run along with a batch and leave nothing.
const Nowhere = -1

// A Store says where the rows of a batch go in a cache. It serves all layers.
type Store struct {
	rows    int
	queries *Ints // heads of the queries in qkv seen as rows of KV*Dim
	from    *Ints // keys and values, in the same view
	to      *Ints // their places in a layer's buffer, in the same view
	lengths *Ints // tokens each sequence has after storing
}

// Store uploads where each row of a batch goes. A slot is written at most once in the life of a cache.
func (t *Tape) Store(c *Cache, slots []Slot) *Store {
	group := c.heads.Query / c.heads.KV
	var queries, from, to []int32
	lengths := make([]int32, len(slots))
	for row, s := range slots {
		if s.Sequence >= c.Sequences || s.At >= c.Capacity {
			t.refuse("Store: no slot %+v in a cache of %d x %d", s, c.Sequences, c.Capacity)
		}
		lengths[row] = int32(max(s.At, 0) + 1)
		for i := range group {
			queries = append(queries, int32(row*(group+2)+i))
		}
		for half := range 2 {
			if s.At != Nowhere {
				from = append(from, int32(row*(group+2)+group+half))
				to = append(to, int32((half*c.Sequences+s.Sequence)*c.Capacity+s.At))
			}
		}
	}
	return &Store{len(slots), t.Ints(queries), t.Ints(from), t.Ints(to), t.Ints(lengths)}
}

// Keep copies the keys and values of qkv, already rotated, into a layer of the cache. Inference only.
func (t *Tape) Keep(c *Cache, layer int, qkv *Tensor, s *Store) {
	if t.recording {
		t.refuse("Keep: the tape records, and a cache has no gradient")
	}
	if qkv.Rows != s.rows || qkv.Cols != c.heads.Width() {
		t.refuse("Keep: qkv %v for %d slots of %+v", qkv, s.rows, c.heads)
	}
	if t.err != nil {
		return
	}
	width := c.heads.KV * c.heads.Dim
	fresh := t.borrow(s.from.Len * width)
	if t.err != nil {
		return
	}
	t.dev.Gather(fresh, qkv.Value, s.from.buf, width)
	t.dev.GatherGrad(c.layers[layer], fresh, s.to.buf, width)
	t.arena.Put(fresh)
}

// Decode attends one new token of each sequence of the cache, in order, to the tokens stored so far, its own included:
// qkv [N, Width] to [N, Query*Dim]. Layers may differ in window, scale and cap only. Inference only.
func (t *Tape) Decode(c *Cache, layer int, qkv *Tensor, h Heads, s *Store) *Tensor {
	t.Keep(c, layer, qkv, s)
	if s.rows != c.Sequences {
		t.refuse("Decode: %d rows for %d sequences", s.rows, c.Sequences)
	}
	y := t.output(qkv.Rows, h.Query*h.Dim)
	q := t.save(y.size())
	if t.err != nil {
		return y
	}
	t.dev.Gather(q, qkv.Value, s.queries.buf, h.KV*h.Dim)
	keys, values := c.layers[layer].Slice(0, c.half()), c.layers[layer].Slice(c.half(), c.half())
	t.dev.AttentionDecode(y.Value, q, keys, values, s.lengths.buf, accelerators.AttentionDecode{
		Sequences: c.Sequences, Heads: h.Query, KVHeads: h.KV, HeadDim: h.Dim,
		Capacity: c.Capacity, Window: h.Window, Scale: h.scale(), Cap: h.Cap,
	})
	return y
}

// Sample draws one id for each row of logits [N,V] and waits for them. Rows and Vocab of s are filled in.
func (t *Tape) Sample(logits *Tensor, s accelerators.Sample) ([]int32, error) {
	s.Rows, s.Vocab = logits.Rows, logits.Cols
	drawn := t.take(accelerators.I32, s.Rows)
	if t.err != nil {
		return nil, t.err
	}
	t.dev.Sample(drawn, logits.Value, s)
	ids := make([]int32, s.Rows)
	if err := t.dev.DownloadI32(ids, drawn); err != nil {
		return nil, fmt.Errorf("sample from logits %v: %w", logits, err)
	}
	return ids, nil
}
