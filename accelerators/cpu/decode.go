package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// decodeRange is how many cached positions one task attends to: a range of one head's keys stays in the first-level
// cache while the heads that share it pass over it. decodeTasks bounds the tasks whose results wait to be joined.
const (
	decodeRange = 128
	decodeTasks = 4096
)

// decode is one operation on cached sequences. The device keeps one, whose list is reused.
type decode struct {
	accelerators.AttentionDecode
	d                      *Device
	out, q, cache          []float32
	table, owners, lengths []int32
	ranges                 []decodeTask // those under way
	// mixes are of each range and head: the largest score, the sum of exponentials, out times that sum.
	mixes []float32
}

// decodeTask is a range of the positions that query number n sees.
type decodeTask struct {
	n         int
	positions interval
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
	*t = decode{AttentionDecode: s, d: d, ranges: t.ranges[:0]}
	t.out, t.q = c.f32("out", out, queries), c.f32("q", q, queries)
	t.cache = c.f32("cache", cache, c.size(s.Pages, 2, s.PageSize, s.KVHeads, s.HeadDim))
	t.table = c.ids("Table", s.Table, c.size(s.Sequences, s.Columns), 0, s.Pages)
	t.owners = c.ids("Owners", s.Owners, s.Queries, 0, s.Sequences)
	t.lengths = c.ids("Lengths", s.Lengths, s.Queries, 0, c.size(s.Columns, s.PageSize)+1)
	if !passed(c, s) {
		return
	}
	clear(t.out)
	for n, length := range t.lengths {
		t.list(n, int(length))
		if len(t.ranges) >= decodeTasks || n == len(t.lengths)-1 {
			t.runRanges()
		}
	}
}

// list appends the ranges of a query.
func (t *decode) list(n, length int) {
	from := 0
	if t.Window > 0 {
		from = max(0, length-t.Window)
	}
	for ; from < length; from += decodeRange {
		t.ranges = append(t.ranges, decodeTask{n, interval{from, min(length, from+decodeRange)}})
	}
}

// runRanges computes the outputs of the queries whose ranges are listed, and empties the list.
func (t *decode) runRanges() {
	t.mixes = t.d.shared.floats(slotMixes, len(t.ranges)*t.mixSize())
	t.d.pool.run(len(t.ranges), t)
	t.join()
	t.ranges = t.ranges[:0]
}

// mixSize is how many elements of mixes a range has.
func (t *decode) mixSize() int { return t.Heads * (2 + t.HeadDim) }

// mix is what a range leaves for a head.
func (t *decode) mix(i, head int) []float32 {
	size := 2 + t.HeadDim
	return t.mixes[i*t.mixSize()+head*size:][:size]
}

// block attends to one range with all heads.
func (t *decode) block(worker, i int) {
	r, set := t.ranges[i], t.d.set
	scratch := t.d.scratch[worker].floats(slotScores, decodeRange+t.HeadDim)
	scores, part := scratch[:r.positions.n()], scratch[decodeRange:]
	for h := range t.Heads {
		at := h / (t.Heads / t.KVHeads) * t.HeadDim
		t.score(scores, t.q[(r.n*t.Heads+h)*t.HeadDim:][:t.HeadDim], r, at)
		set.scale(scores, t.Scale)
		if t.Cap > 0 {
			set.flatten(scores, t.Cap)
			set.scale(scores, t.Cap)
		}
		mix := t.mix(i, h)
		mix[0] = max(set.max(scores), -math.MaxFloat32) // minus infinity less itself would be NaN
		mix[1] = set.expSum(scores, 1, mix[0])
		t.blend(mix[2:], part, scores, r, at)
	}
}

// score is the products of a query with the keys of a range; at is where its head starts.
func (t *decode) score(scores, q []float32, r decodeTask, at int) {
	for from := r.positions.from; from < r.positions.to; {
		rows, n := t.rows(r, from, 0)
		t.d.set.dotRows(scores[from-r.positions.from:][:n], q, rows[at:], t.KVHeads*t.HeadDim)
		from += n
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
		t.d.set.mixRows(into, weights[from-r.positions.from:][:n], rows[at:], t.KVHeads*t.HeadDim)
		if from > r.positions.from {
			t.d.set.add(out, out, part)
		}
		from += n
	}
}

// rows are the keys (half 0) or values (half 1) of a range from one position on, n of them, as far as the page goes.
func (t *decode) rows(r decodeTask, from, half int) (rows []float32, n int) {
	page := int(t.table[int(t.owners[r.n])*t.Columns+from/t.PageSize])
	first := (page*2+half)*t.PageSize + from%t.PageSize
	return t.cache[first*t.KVHeads*t.HeadDim:], min(r.positions.to-from, t.PageSize-from%t.PageSize)
}

// join makes the parts of each query, which follow one another, its output.
func (t *decode) join() {
	for from := 0; from < len(t.ranges); {
		n, to := t.ranges[from].n, from
		for to < len(t.ranges) && t.ranges[to].n == n {
			to++
		}
		for h := range t.Heads {
			t.joinHead(t.out[(n*t.Heads+h)*t.HeadDim:][:t.HeadDim], h, from, to)
		}
		from = to
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
