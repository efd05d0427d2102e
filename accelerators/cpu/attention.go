package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// Queries are taken in blocks whose scores against all keys they see stay in the second-level cache, so that the
// softmax needs one pass and the scores of a whole sequence never exist.
const (
	scoreFloats  = 96 << 10
	queryBlock   = 16 * tileRows
	queryMinimum = 2 * tileRows
	taskQueries  = 512  // forward: queries that share one packing of their keys and values
	blockKeys    = 4096 // the longest sum that one call of the tile makes
)

// attention is one operation on packed sequences; the slices begin at the first token.
type attention struct {
	accelerators.Attention
	set       *kernelSet
	offsets   []int32
	q, k, v   []float32
	out, lse  []float32
	dq, dk    []float32
	dv, dout  []float32
	group     int // query heads to a key-value head
	outStride int
}

// Attention: out = softmax(scale q k^T + mask) v and the log-sum-exp of the scores of each token and head.
func (d *Device) Attention(out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	c := d.call("Attention")
	a := c.attention(q, k, v, s)
	a.out = c.f32("out", out, c.size(s.Tokens, s.Heads, s.HeadDim))
	a.lse = c.f32("lse", lse, c.size(s.Tokens, s.Heads))
	if !c.ok(attentionShape(s)) {
		return
	}
	type task struct {
		sequence
		from, to int
	}
	var tasks []task
	for _, seq := range a.sequences() {
		for from := 0; from < seq.length; from += taskQueries {
			tasks = append(tasks, task{seq, from, min(seq.length, from+taskQueries)})
		}
	}
	d.runFunc(len(tasks), func(worker, i int) {
		a.forward(&d.scratch[worker], tasks[i].sequence, tasks[i].from, tasks[i].to)
	})
}

// attentionShape is what an error shows: the description without its buffer.
func attentionShape(s accelerators.Attention) any {
	s.Offsets = accelerators.Buffer{}
	return s
}

func (c *call) attention(q, k, v accelerators.Buffer, s accelerators.Attention) *attention {
	c.heads(s.Heads, s.KVHeads, s.HeadDim)
	if s.Window < 0 {
		c.fail("Window must not be negative")
	}
	queries, keys := c.size(s.Heads, s.HeadDim), c.size(s.KVHeads, s.HeadDim)
	a := &attention{Attention: s, set: c.dev.set, outStride: queries}
	a.q = c.f32("q", q, c.span(s.Tokens, s.StrideQ, queries))
	a.k = c.f32("k", k, c.span(s.Tokens, s.StrideK, keys))
	a.v = c.f32("v", v, c.span(s.Tokens, s.StrideV, keys))
	a.offsets = c.i32("Offsets", s.Offsets, c.size(s.Sequences)+1)
	c.checkOffsets(a.offsets, s)
	if !c.skip {
		a.group = s.Heads / s.KVHeads
	}
	return a
}

// heads checks the sizes of attention heads.
func (c *call) heads(heads, kvHeads, dim int) {
	c.positive("Heads", heads)
	c.positive("KVHeads", kvHeads)
	c.positive("HeadDim", dim)
	if !c.skip && heads%kvHeads != 0 {
		c.fail("%d heads do not divide among %d key-value heads", heads, kvHeads)
	}
}

func (c *call) checkOffsets(offsets []int32, s accelerators.Attention) {
	for i, at := range offsets {
		switch {
		case i == 0 && at != 0:
			c.fail("Offsets begin with %d, want 0", at)
		case i > 0 && (at < offsets[i-1] || int(at-offsets[i-1]) > s.MaxLen):
			c.fail("sequence %d has %d tokens, want 0 to MaxLen", i-1, at-offsets[i-1])
		}
	}
	if n := len(offsets); n > 0 && int(offsets[n-1]) != s.Tokens {
		c.fail("Offsets end with %d, want Tokens", offsets[n-1])
	}
}

// sequence is the tokens of one sequence, in one key-value head. Queries and keys are counted from its start.
type sequence struct {
	start, length int
	kvHead        int
}

func (a *attention) sequences() []sequence {
	var all []sequence
	for i := range a.Sequences {
		for g := range a.KVHeads {
			all = append(all, sequence{int(a.offsets[i]), int(a.offsets[i+1] - a.offsets[i]), g})
		}
	}
	return all
}

// row is where token t of the sequence has head h in a buffer of the given stride.
func (a *attention) row(seq sequence, t, h, stride int) int {
	return (seq.start+t)*stride + h*a.HeadDim
}

// firstKey and endKey bound the keys that query t sees.
func (a *attention) firstKey(t int) int {
	if a.Window > 0 {
		return max(0, t-a.Window+1)
	}
	return 0
}

func (a *attention) endKey(t int, seq sequence) int {
	if a.Causal {
		return t + 1
	}
	return seq.length
}

// queries is a block of them: the queries [from, to) of one head, and the keys [first, end) that some of them see.
type queries struct {
	sequence
	head       int
	from, to   int
	first, end int
}

// blocks runs f over the queries [from, to) of all heads that share the sequence's keys.
func (a *attention) blocks(seq sequence, from, to int, f func(queries)) {
	for h := seq.kvHead * a.group; h < (seq.kvHead+1)*a.group; h++ {
		for q := from; q < to; {
			end := min(to, q+a.blockLength(seq, q))
			f(queries{seq, h, q, end, a.firstKey(q), a.endKey(end-1, seq)})
			q = end
		}
	}
}

// blockLength is how many queries from q on keep their scores within scoreFloats.
func (a *attention) blockLength(seq sequence, q int) int {
	keys := a.endKey(min(seq.length, q+queryBlock)-1, seq) - a.firstKey(q)
	return max(queryMinimum, min(queryBlock, scoreFloats/keys/tileRows*tileRows))
}

// packed is rows of HeadDim elements, n of them from first on, as the right-hand side of products.
type packed struct {
	x        []float32
	first, n int
}

func (a *attention) forward(s *scratch, seq sequence, from, to int) {
	first, end := a.firstKey(from), a.endKey(to-1, seq)
	keys := a.packTransposed(s, slotKeysT, a.k, a.StrideK, seq, first, end)
	values := a.packRows(s, slotValues, a.v[a.row(seq, first, seq.kvHead, a.StrideV):], a.StrideV, first, end-first)
	a.blocks(seq, from, to, func(r queries) {
		scores := newScores(s, slotScores, r)
		a.product(scores, a.q, a.StrideQ, a.Scale, keys)
		for q := r.from; q < r.to; q += tileRows {
			a.softmaxValues(scores, q, min(tileRows, r.to-q), values)
		}
	})
}

// softmaxValues turns the scores of m queries into weights and these into rows of out.
func (a *attention) softmaxValues(scores scores, query, m int, values packed) {
	lo, hi := a.firstKey(query), a.endKey(query+m-1, scores.sequence)
	var sums [tileRows]float32
	for i := range m {
		x := scores.visible(a, query+i, lo, hi)
		top := a.set.max(x)
		sums[i] = a.set.expSum(x, 1, top)
		at := (scores.start+query+i)*a.Heads + scores.head
		a.lse[at] = top + float32(math.Log(float64(sums[i])))
	}
	out := a.out[a.row(scores.sequence, query, scores.head, a.outStride):]
	w := weights{scores.at(query, lo), scores.stride, 1}
	a.sumRows(out, a.outStride, m, w, values, span{lo, hi - lo}, false)
	for i := range m {
		a.set.scale(out[i*a.outStride:][:a.HeadDim], 1/sums[i])
	}
}

// weights are the left-hand side of a sum over rows, row i and column j at i*rowStep + j*colStep.
type weights struct {
	x                []float32
	rowStep, colStep int
}

// sumRows: out[m,HeadDim] (+)= w[m,ks] x[ks,HeadDim].
func (a *attention) sumRows(out []float32, stride, m int, w weights, x packed, ks span, add bool) {
	width := a.set.width
	for j := 0; j < a.HeadDim; j += width {
		for k := 0; k < ks.n; k += blockKeys {
			panel := x.x[j*x.n+(ks.from-x.first+k)*width:]
			a.set.tile(min(blockKeys, ks.n-k), w.x[k*w.colStep:], w.rowStep, w.colStep, panel,
				out[j:], stride, m, min(width, a.HeadDim-j), 1, add || k > 0)
		}
	}
}

// product: scores = alpha * x keys^T for the keys that a tile of queries sees. The rows of x are the queries', those
// of keys packed transposed.
func (a *attention) product(scores scores, x []float32, stride int, alpha float32, keys packed) {
	width := a.set.width
	for q := scores.from; q < scores.to; q += tileRows {
		m := min(tileRows, scores.to-q)
		end := a.endKey(q+m-1, scores.sequence) - keys.first
		row := x[a.row(scores.sequence, q, scores.head, stride):]
		for j := (a.firstKey(q) - keys.first) / width * width; j < end; j += width {
			skip := max(0, scores.first-keys.first-j) // the first panel may begin before the scores do
			panel := keys.x[j*a.HeadDim+skip:]
			c := scores.at(q, keys.first+j+skip)
			a.set.tile(a.HeadDim, row, stride, 1, panel, c, scores.stride, m, min(width, end-j)-skip, alpha, false)
		}
	}
}

// packTransposed packs the rows [first, end) of the sequence's keys or values as right-hand side of scores.
func (a *attention) packTransposed(s *scratch, slot int, x []float32, stride int, seq sequence, first, end int) packed {
	width := a.set.width
	dst := s.floats(slot, (end-first+width-1)/width*width*a.HeadDim)
	for j := first; j < end; j += width {
		from := x[a.row(seq, j, seq.kvHead, stride):]
		packTransposed(a.set, dst[(j-first)*a.HeadDim:], from, stride, min(width, end-j), a.HeadDim)
	}
	return packed{dst, first, end - first}
}

// packRows packs n rows from x on, which are called first and following, as right-hand side of sums over them.
func (a *attention) packRows(s *scratch, slot int, x []float32, stride, first, n int) packed {
	width := a.set.width
	dst := s.floats(slot, (a.HeadDim+width-1)/width*width*n)
	for j := 0; j < a.HeadDim; j += width {
		packRows(a.set, dst[j*n:], x[j:], stride, min(width, a.HeadDim-j), n)
	}
	return packed{dst, first, n}
}

// scores holds a number for each query and key of a block.
type scores struct {
	queries
	x      []float32
	stride int
}

func newScores(s *scratch, slot int, r queries) scores {
	stride := (r.end-r.first+15)&^15 + 16 // not a power of two, which would crowd the caches
	return scores{r, s.floats(slot, (r.to-r.from)*stride), stride}
}

func (b scores) at(query, key int) []float32 { return b.x[(query-b.from)*b.stride+key-b.first:] }

// visible is the scores of the keys that a query sees; it clears those of the other keys in [lo, hi).
func (b scores) visible(a *attention, query, lo, hi int) []float32 {
	first, end := a.firstKey(query)-lo, a.endKey(query, b.sequence)-lo
	row := b.at(query, lo)[:hi-lo]
	clear(row[:first])
	clear(row[end:])
	return row[first:end]
}
