package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// decodeRange is how many cached positions one task attends to: a range of one head's keys stays in the first-level
// cache while the heads that share it pass over it. decodeTogether is how many queries of a sequence may share a range,
// and decodeParts bounds the results that wait to be joined.
const (
	decodeRange    = 128
	decodeTogether = 8 * tileRows
	decodeParts    = 4096
)

// decode is one operation on cached sequences. The device keeps one, whose lists are reused.
//
// A score is one chain of fused operations over the head's elements, and a part of an output one over the values of a
// page, the pages added in order; so a query has the same bits alone and together with others.
type decode struct {
	accelerators.AttentionDecode
	d                      *Device
	out, q, cache          []float32
	table, owners, lengths []int32
	ranges                 []decodeTask // those under way
	first                  int          // of the queries under way
	parts                  []int        // the number of the first part of each of these, and of all parts
	// mixes are of each part and head: the largest score, the sum of exponentials, out times that sum.
	mixes []float32
}

// decodeTask is a range of positions that some queries of a sequence see, of each the part of that number.
type decodeTask struct {
	queries   span
	positions interval
	part      int
}

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
	t := &d.ops.decode
	*t = decode{AttentionDecode: s, d: d, ranges: t.ranges[:0], parts: append(t.parts[:0], 0)}
	t.out, t.q = c.f32("out", out, queries), c.f32("q", q, queries)
	t.cache = c.f32("cache", cache, c.size(s.Pages, 2, s.PageSize, s.KVHeads, s.HeadDim))
	t.table = c.ids("Table", s.Table, c.size(s.Sequences, s.Columns), 0, s.Pages)
	t.owners = c.ids("Owners", s.Owners, s.Queries, 0, s.Sequences)
	t.lengths = c.ids("Lengths", s.Lengths, s.Queries, 0, c.size(s.Columns, s.PageSize)+1)
	if !passed(c, s) {
		return
	}
	clear(t.out)
	for n := 0; n < t.Queries; {
		n += t.list(n)
		if t.count() >= decodeParts || n == t.Queries {
			t.runRanges()
			t.first, t.parts = n, t.parts[:1]
		}
	}
}

// list appends the ranges of the queries from n on that share some, or of n alone, and returns how many these are.
func (t *decode) list(n int) (queries int) {
	block, shortest := t.together(n)
	shared := 0
	if block.n >= tileRows && t.PageSize%16 == 0 {
		shared = shortest / decodeRange
	}
	for i := range shared {
		t.ranges = append(t.ranges, decodeTask{block, interval{i * decodeRange, (i + 1) * decodeRange}, i})
	}
	for i := range block.n {
		q, part := n+i, shared
		length := int(t.lengths[q])
		for from := max(t.start(q), shared*decodeRange); from < length; from += decodeRange {
			t.ranges = append(t.ranges, decodeTask{span{q, 1}, interval{from, min(length, from+decodeRange)}, part})
			part++
		}
		t.parts = append(t.parts, t.count()+part)
	}
	return block.n
}

// together are the queries from n on that belong to its sequence and see it from its start, and the least that one of
// them sees.
func (t *decode) together(n int) (block span, shortest int) {
	block, shortest = span{n, 1}, int(t.lengths[n])
	for q := n + 1; q < min(n+decodeTogether, t.Queries); q++ {
		if t.owners[q] != t.owners[n] || t.start(n) > 0 || t.start(q) > 0 {
			break
		}
		block.n++
		shortest = min(shortest, int(t.lengths[q]))
	}
	return block, shortest
}

// start is the first position that a query sees.
func (t *decode) start(q int) int {
	if t.Window == 0 {
		return 0
	}
	return max(0, int(t.lengths[q])-t.Window)
}

// count is the number of parts of the queries under way.
func (t *decode) count() int { return t.parts[len(t.parts)-1] }

// runRanges computes the outputs of the queries whose ranges are listed, and empties the list.
func (t *decode) runRanges() {
	t.mixes = t.d.shared.floats(slotMixes, t.count()*t.mixSize())
	t.d.pool.run(len(t.ranges), t)
	t.join()
	t.ranges = t.ranges[:0]
}

// mixSize is how many elements of mixes a part has.
func (t *decode) mixSize() int { return t.Heads * (2 + t.HeadDim) }

// mix is what a part leaves for a head.
func (t *decode) mix(part, head int) []float32 {
	size := 2 + t.HeadDim
	return t.mixes[part*t.mixSize()+head*size:][:size]
}

// mixOf is what a task leaves for a head of a query.
func (t *decode) mixOf(r decodeTask, query, head int) []float32 {
	return t.mix(t.parts[query-t.first]+r.part, head)
}

// group is how many heads share keys and values.
func (t *decode) group() int { return t.Heads / t.KVHeads }

// stride is the distance of the keys, or values, of positions that follow each other.
func (t *decode) stride() int { return t.KVHeads * t.HeadDim }

// query is where a head of a query starts.
func (t *decode) query(query, head int) []float32 { return t.q[(query*t.Heads+head)*t.HeadDim:] }

// block attends to one range with all heads.
func (t *decode) block(worker, i int) {
	r, s := t.ranges[i], &t.d.scratch[worker]
	for kv := range t.KVHeads {
		if r.queries.n == 1 {
			t.attend(s, r, kv)
		} else {
			t.attendTogether(s, r, kv)
		}
	}
}

// scoreStride is the distance of rows of scores: what is computed in vectors ends in other numbers.
const scoreStride = decodeRange + 16

// attend is for one query, and the heads that share keys and values number kv.
func (t *decode) attend(s *scratch, r decodeTask, kv int) {
	memory := s.floats(slotScores, t.group()*scoreStride+t.HeadDim)
	part := memory[t.group()*scoreStride:]
	t.score(s, memory, r, kv)
	for g := range t.group() {
		scores, head := memory[g*scoreStride:][:r.positions.n()], kv*t.group()+g
		mix := t.mixOf(r, r.queries.from, head)
		t.weigh(scores, mix)
		t.blend(mix[2:], part, scores, r, kv*t.HeadDim)
	}
}

// weigh makes scores weights and notes the largest score and the weights' sum.
func (t *decode) weigh(scores, mix []float32) {
	set := t.d.set
	if t.Cap > 0 {
		set.flatten(scores, t.Cap)
		set.scale(scores, t.Cap)
	}
	mix[0] = max(set.max(scores), -math.MaxFloat32) // minus infinity less itself would be NaN
	mix[1] = set.expSum(scores, 1, mix[0])
}

// score is the products of a query's heads with the keys of a range.
func (t *decode) score(s *scratch, scores []float32, r decodeTask, kv int) {
	q := t.query(r.queries.from, kv*t.group())
	for from := r.positions.from; from < r.positions.to; {
		keys, n := t.rows(r, from, 0)
		t.scorePage(s, scores[from-r.positions.from:], q, keys[kv*t.HeadDim:], n)
		from += n
	}
}

// scorePage is the products with n keys of a page, in place where the kernel set can.
func (t *decode) scorePage(s *scratch, scores, q, keys []float32, n int) {
	set, width := t.d.set, t.d.set.width
	if set.few != nil && t.HeadDim%4 == 0 && t.PageSize >= fewWidth {
		for j := 0; j < n; j += fewWidth { // the last few rows may be of the page's values
			for h := 0; h < t.group(); h += fewRows {
				set.few(t.HeadDim, keys[j*t.stride():], t.stride(), q[h*t.HeadDim:], t.HeadDim,
					scores[h*scoreStride+j:], scoreStride, min(fewRows, t.group()-h), t.Scale, false, keys)
			}
		}
		return
	}
	panel := s.floats(slotKeysT, width*t.HeadDim)
	for j := 0; j < n; j += width {
		packTransposed(set, panel, keys[j*t.stride():], t.stride(), min(width, n-j), t.HeadDim)
		for h := 0; h < t.group(); h += tileRows {
			set.tile(t.HeadDim, q[h*t.HeadDim:], t.HeadDim, 1, panel, scores[h*scoreStride+j:], scoreStride,
				min(tileRows, t.group()-h), min(width, n-j), t.Scale, false)
		}
	}
}

// blend is the sum of a range's values, weighted. Part is scratch.
func (t *decode) blend(out, part, weights []float32, r decodeTask, at int) {
	for from := r.positions.from; from < r.positions.to; {
		rows, n := t.rows(r, from, 1)
		into := out
		if from > r.positions.from {
			into = part
		}
		t.d.set.mixRows(into, weights[from-r.positions.from:][:n], rows[at:], t.stride())
		if from > r.positions.from {
			t.d.set.add(out, out, part)
		}
		from += n
	}
}

// rows are the keys (half 0) or values (half 1) of a range from one position on, n of them, as far as the page goes.
func (t *decode) rows(r decodeTask, from, half int) (rows []float32, n int) {
	page := int(t.table[int(t.owners[r.queries.from])*t.Columns+from/t.PageSize])
	first := (page*2+half)*t.PageSize + from%t.PageSize
	return t.cache[first*t.stride():], min(r.positions.to-from, t.PageSize-from%t.PageSize)
}

// join makes the parts of each query, which follow one another, its output.
func (t *decode) join() {
	for i := range len(t.parts) - 1 {
		for h := range t.Heads {
			if from, to := t.parts[i], t.parts[i+1]; from < to {
				t.joinHead(t.out[((t.first+i)*t.Heads+h)*t.HeadDim:][:t.HeadDim], h, from, to)
			}
		}
	}
}

// joinHead weighs the parts [from, to) by their sums, relative to the largest score of all.
func (t *decode) joinHead(out []float32, h, from, to int) {
	top, sum := t.mix(from, h)[0], float32(0)
	for i := from + 1; i < to; i++ {
		top = max(top, t.mix(i, h)[0])
	}
	for i := from; i < to; i++ {
		mix := t.mix(i, h)
		factor := exp(mix[0] - top)
		sum += factor * mix[1]
		t.d.set.axpy(out, mix[2:], factor)
	}
	t.d.set.scale(out, 1/sum)
}
