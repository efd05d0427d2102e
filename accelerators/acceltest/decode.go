package acceltest

import (
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

type decoding = accelerators.AttentionDecode

// A pagedCase is sequences of at most capacity tokens and queries at random places in them.
type pagedCase struct {
	decoding
	capacity int
}

func testAttentionDecode(r *rig) {
	testEmptyCaches(r)
	for _, c := range []pagedCase{
		{decoding{Queries: 1, Sequences: 1, Heads: 1, KVHeads: 1, HeadDim: 1, PageSize: 1}, 1},
		{decoding{Queries: 3, Sequences: 3, Heads: 4, KVHeads: 2, HeadDim: 17, PageSize: 4}, 9},
		{decoding{Queries: 9, Sequences: 5, Heads: 6, KVHeads: 1, HeadDim: 64, PageSize: 16, Window: 13}, 70},
		{decoding{Queries: 0, Sequences: 0, Heads: 2, KVHeads: 1, HeadDim: 8, PageSize: 3}, 5},
		{decoding{Queries: 5, Sequences: 2, Heads: 4, KVHeads: 4, HeadDim: 80, PageSize: 32}, 600},
		{decoding{Queries: 3, Sequences: 3, Heads: 7, KVHeads: 1, HeadDim: 128, PageSize: 300, Window: 257}, 300},
		{decoding{Queries: 4, Sequences: 3, Heads: 4, KVHeads: 2, HeadDim: 24, PageSize: 5, Cap: 1.5}, 140},
		{decoding{Queries: 21, Sequences: 1, Heads: 4, KVHeads: 2, HeadDim: 72, PageSize: 32}, 900},
		{decoding{Queries: 63, Sequences: 1, Heads: 5, KVHeads: 1, HeadDim: 16, PageSize: 48, Cap: 1.5, Window: 350}, 400},
	} {
		p := pagedCache{AttentionDecode: c.decoding}
		p.Scale = float32(1 / math.Sqrt(float64(p.HeadDim)))
		p.Columns = (c.capacity + p.PageSize - 1) / p.PageSize
		p.fill(r, c.capacity)
		out := r.result(len(p.q))
		r.dev.AttentionDecode(out, r.activations(p.q), r.activations(p.cache), p.upload(r))
		r.expect("out", out, p.decoded(), r.coarse(reduced))
		testLonelyQueries(r, p, out)
		r.reset()
	}
}

// A pagedCache is the operands of an AttentionDecode on the host.
type pagedCache struct {
	accelerators.AttentionDecode
	q, cache               []float64
	table, owners, lengths []int32
}

// fill scatters the pages of the sequences over a cache with some to spare, full of noise.
func (p *pagedCache) fill(r *rig, capacity int) {
	p.Pages = p.Sequences*p.Columns + 3
	for _, page := range r.rand.Perm(p.Pages)[:p.Sequences*p.Columns] {
		p.table = append(p.table, int32(page))
	}
	p.lengths = r.indices(p.Queries, capacity) // from 0; one more is the length
	for i := range p.lengths {
		p.lengths[i]++
	}
	if p.Queries > 0 {
		p.owners = r.indices(p.Queries, p.Sequences)
	}
	p.q = r.normal(p.Queries * p.Heads * p.HeadDim)
	p.cache = r.normal(p.Pages * 2 * p.PageSize * p.KVHeads * p.HeadDim)
}

func (p *pagedCache) upload(r *rig) accelerators.AttentionDecode {
	s := p.AttentionDecode
	s.Table, s.Owners, s.Lengths = r.uploadInts(p.table), r.uploadInts(p.owners), r.uploadInts(p.lengths)
	return s
}

// sequence is the keys (half 0) or values (half 1) of a sequence, one after the other.
func (p *pagedCache) sequence(s, half int) (rows []float64) {
	size := p.PageSize * p.KVHeads * p.HeadDim
	for _, page := range p.table[s*p.Columns : (s+1)*p.Columns] {
		rows = append(rows, p.cache[(2*int(page)+half)*size:][:size]...)
	}
	return rows
}

// decoded sees each query as the last token of a sequence.
func (p *pagedCache) decoded() []float64 {
	stride, width := p.KVHeads*p.HeadDim, p.Heads*p.HeadDim
	out := make([]float64, len(p.q))
	for n, length := range p.lengths {
		last, owner := int(length)-1, int(p.owners[n])
		a := packing{Attention: accelerators.Attention{Heads: p.Heads, KVHeads: p.KVHeads, HeadDim: p.HeadDim,
			StrideQ: width, StrideK: stride, StrideV: stride, Causal: true,
			Window: p.Window, Scale: p.Scale, Cap: p.Cap},
			q: make([]float64, int(length)*width), k: p.sequence(owner, 0), v: p.sequence(owner, 1)}
		copy(a.q[last*width:], p.q[n*width:(n+1)*width])
		for h := range p.Heads {
			a.attend(out[n*width+h*p.HeadDim:][:p.HeadDim], last, h, 0, int(length))
		}
	}
	return out
}

// testLonelyQueries: a query alone, its sequence on other pages, has the bits that it has among others.
func testLonelyQueries(r *rig, p pagedCache, out accelerators.Buffer) {
	width := p.Heads * p.HeadDim
	for n := range p.Queries {
		alone, owner := p, int(p.owners[n])
		alone.Queries, alone.Sequences, alone.Pages = 1, 1, p.Columns
		alone.q, alone.owners, alone.lengths = p.q[n*width:(n+1)*width], []int32{0}, p.lengths[n:n+1]
		alone.table, alone.cache = nil, nil
		size := 2 * p.PageSize * p.KVHeads * p.HeadDim
		for i, page := range p.table[owner*p.Columns : (owner+1)*p.Columns] {
			alone.table = append(alone.table, int32(i))
			alone.cache = append(alone.cache, p.cache[int(page)*size:][:size]...)
		}
		got := r.result(width)
		r.dev.AttentionDecode(got, r.activations(alone.q), r.activations(alone.cache), alone.upload(r))
		if want := r.download(out)[n*width : (n+1)*width]; !slices.Equal(r.download(got), want) {
			r.t.Errorf("query %d has other bits alone than among %d", n, p.Queries)
		}
	}
}

// testEmptyCaches: a query that sees no position gets zeros, whatever the others have and the cache holds.
func testEmptyCaches(r *rig) {
	s := accelerators.AttentionDecode{Queries: 3, Heads: 2, KVHeads: 1, HeadDim: 3, Scale: 1,
		Pages: 3, PageSize: 4, Sequences: 3, Columns: 1}
	s.Table, s.Owners = r.uploadInts([]int32{2, 1, 0}), r.uploadInts([]int32{0, 1, 2})
	s.Lengths = r.uploadInts([]int32{0, 1, 0})
	cache := make([]float64, s.Pages*2*s.PageSize*s.HeadDim)
	for i := range cache {
		cache[i] = math.NaN()
	}
	for i := range s.HeadDim {
		cache[2*s.PageSize*s.HeadDim+i] = 1 // key and value of the only position of sequence 1
		cache[3*s.PageSize*s.HeadDim+i] = 2
	}
	out := r.result(s.Queries * s.Heads * s.HeadDim)
	r.dev.AttentionDecode(out, r.activations(r.normal(out.Len)), r.activations(cache), s)
	r.expect("out", out, []float64{0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0, 0}, elementwise)
	r.reset()
}
