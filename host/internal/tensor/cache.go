package tensor

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// PageSize is how many tokens a page of a Cache holds.
const PageSize = 32

// A Cache keeps the keys and values of sequences in pages, so that sequences of all lengths share one pool: for every
// layer one buffer [Pages, 2, PageSize, KV*Dim], of each page the keys, then the values. A page has the same number in
// all layers.
type Cache struct {
	Pages int

	dev    accelerators.Device
	heads  Heads
	layers []accelerators.Buffer
	free   []int32 // pages of no sequence, the next to be taken at the end
	arena  *Arena
}

// NewCache takes an empty cache for the activations of a tape from the arena. Free gives it back.
func NewCache(t *Tape, arena *Arena, layers, pages int, h Heads) (*Cache, error) {
	c := &Cache{Pages: pages, dev: t.dev, heads: h, arena: arena}
	for range layers {
		b, err := arena.Get(t.kind(), pages*c.pageLen())
		if err != nil {
			c.Free()
			return nil, fmt.Errorf("allocate a cache of %d pages of %d tokens: %w", pages, PageSize, err)
		}
		c.layers = append(c.layers, b)
	}
	for page := range pages {
		c.free = append(c.free, int32(pages-1-page))
	}
	return c, nil
}

// PageBytes is the memory of one page in all layers, for the activations of the tape.
func (t *Tape) PageBytes(layers int, h Heads) int {
	return layers * 2 * PageSize * h.KV * h.Dim * t.kind().Size()
}

// PagesFor is how many pages hold so many tokens.
func PagesFor(tokens int) int { return (tokens + PageSize - 1) / PageSize }

// Free returns the memory to the arena.
func (c *Cache) Free() {
	for _, b := range c.layers {
		c.arena.Put(b)
	}
	c.layers = nil
}

func (c *Cache) pageLen() int { return 2 * PageSize * c.heads.KV * c.heads.Dim }

// Unused is how many pages no sequence has.
func (c *Cache) Unused() int { return len(c.free) }

// Extend appends pages to those of a sequence until they hold so many tokens. It takes none and reports false when
// there are not enough.
func (c *Cache) Extend(pages []int32, tokens int) ([]int32, bool) {
	need := PagesFor(tokens) - len(pages)
	if need > len(c.free) {
		return pages, false
	}
	for range max(need, 0) {
		page := c.free[len(c.free)-1]
		c.free = c.free[:len(c.free)-1]
		for _, b := range c.layers {
			c.dev.Fill(b.Slice(int(page)*c.pageLen(), c.pageLen()), 0) // Decode adds to it
		}
		pages = append(pages, page)
	}
	return pages, true
}

// Release takes the pages of a sequence back.
func (c *Cache) Release(pages []int32) {
	for _, page := range slices.Backward(pages) {
		c.free = append(c.free, page)
	}
}

// A Slot is the place of a row in a cache: token number At of sequence Sequence.
type Slot struct{ Sequence, At int }

// A Store says where the rows of a batch go in a cache, and what they see there. It serves all layers.
type Store struct {
	rows    int
	queries *Ints // heads of the queries in qkv seen as rows of KV*Dim
	from    *Ints // keys and values, in the same view
	to      *Ints // their places in a layer's buffer, in the same view
	see     accelerators.AttentionDecode
}

// Store uploads where each row of a batch goes. Pages are those of the sequences, which must hold the rows. A slot is
// written at most once between Extend and Release.
func (t *Tape) Store(c *Cache, pages [][]int32, slots []Slot) *Store {
	group := c.heads.Query / c.heads.KV
	var queries, from, to []int32
	lengths, owners := make([]int32, len(slots)), make([]int32, len(slots))
	for row, s := range slots {
		if s.At/PageSize >= len(pages[s.Sequence]) {
			t.refuse("Store: no slot %+v on %d pages", s, len(pages[s.Sequence]))
			return &Store{}
		}
		lengths[row], owners[row] = int32(s.At+1), int32(s.Sequence)
		for i := range group {
			queries = append(queries, int32(row*(group+2)+i))
		}
		for half := range 2 {
			from = append(from, int32(row*(group+2)+group+half))
			page := int(pages[s.Sequence][s.At/PageSize])
			to = append(to, int32((page*2+half)*PageSize+s.At%PageSize))
		}
	}
	table, columns := tableOf(pages)
	return &Store{len(slots), t.Ints(queries), t.Ints(from), t.Ints(to), accelerators.AttentionDecode{
		Queries: len(slots), Heads: c.heads.Query, KVHeads: c.heads.KV, HeadDim: c.heads.Dim,
		Pages: c.Pages, PageSize: PageSize, Sequences: len(pages), Columns: columns,
		Table: t.Ints(table).buf, Owners: t.Ints(owners).buf, Lengths: t.Ints(lengths).buf,
	}}
}

// tableOf lays the pages of sequences out as rows of equal length.
func tableOf(pages [][]int32) (table []int32, columns int) {
	for _, p := range pages {
		columns = max(columns, len(p))
	}
	table = make([]int32, len(pages)*columns)
	for i, p := range pages {
		copy(table[i*columns:], p)
	}
	return table, columns
}

// keep copies the keys and values of qkv into a layer of the cache.
func (t *Tape) keep(c *Cache, layer int, qkv *Tensor, s *Store) {
	width := c.heads.KV * c.heads.Dim
	fresh := t.borrow(qkv.kind(), s.from.Len*width)
	if t.err != nil {
		return
	}
	t.dev.Gather(fresh, qkv.Value, s.from.buf, width)
	t.dev.GatherGrad(c.layers[layer], fresh, s.to.buf, width)
	t.arena.Put(fresh)
}

// Decode stores the keys and values of qkv [N, Width], already rotated, in a layer of the cache, and attends each row
// to its sequence up to itself: [N, Query*Dim]. A row's result depends on its own sequence alone, not on the other
// rows, its pages, or how many passes stored what it sees. Layers may differ in window, scale and cap only. Inference only.
func (t *Tape) Decode(c *Cache, layer int, qkv *Tensor, h Heads, s *Store) *Tensor {
	if t.recording {
		t.refuse("Decode: the tape records, and a cache has no gradient")
	}
	if t.err == nil && (qkv.Rows != s.rows || qkv.Cols != c.heads.Width()) {
		t.refuse("Decode: qkv %v for %d slots of %+v", qkv, s.rows, c.heads)
	}
	if t.err != nil {
		return &Tensor{}
	}
	t.keep(c, layer, qkv, s)
	y := t.output(qkv.kind(), qkv.Rows, h.Query*h.Dim)
	q := t.take(y.kind(), y.size())
	if t.err != nil {
		return y
	}
	t.dev.Gather(q, qkv.Value, s.queries.buf, h.KV*h.Dim)
	see := s.see
	see.Window, see.Scale, see.Cap = h.Window, h.scale(), h.Cap
	t.dev.AttentionDecode(y.Value, q, c.layers[layer], see)
	return y
}

// Sample draws one id for each row of logits [N,V] and waits for them.
func (t *Tape) Sample(logits *Tensor, draws []accelerators.Draw) ([]int32, error) {
	if len(draws) != logits.Rows {
		t.refuse("Sample: %d draws for logits %v", len(draws), logits)
	}
	drawn := t.take(accelerators.I32, logits.Rows)
	if t.err != nil {
		return nil, t.err
	}
	t.dev.Sample(drawn, logits.Value, logits.Cols, draws)
	ids := make([]int32, logits.Rows)
	if err := t.dev.DownloadI32(ids, drawn); err != nil {
		return nil, fmt.Errorf("sample from logits %v: %w", logits, err)
	}
	return ids, nil
}
