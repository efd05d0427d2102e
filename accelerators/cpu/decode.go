package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// decodeRange is how many cached positions one task attends to: a range of one head's keys stays in the first-level
// cache while the heads that share it pass over it.
const decodeRange = 128

// decode is one operation on cached sequences. The device keeps one, whose list is reused.
type decode struct {
	accelerators.AttentionDecode
	d            *Device
	out, q, k, v []float32
	lengths      []int32
	ranges       []decodeTask
	mixes        []float32 // of each range and head: the largest score, the sum of exponentials, out times that sum
}

// decodeTask is a range of the positions of sequence number n.
type decodeTask struct {
	n         int
	positions interval
}

// AttentionDecode attends one query of each sequence to the last Window (or all) of its cached positions. A sequence
// of length 0 gets zeros.
func (d *Device) AttentionDecode(out, q, k, v, lengths accelerators.Buffer, s accelerators.AttentionDecode) {
	c := d.call("AttentionDecode")
	c.heads(s.Heads, s.KVHeads, s.HeadDim)
	if s.Window < 0 {
		c.fail("Window must not be negative")
	}
	if s.Cap < 0 {
		c.fail("Cap must not be negative")
	}
	queries, cached := c.size(s.Sequences, s.Heads, s.HeadDim), c.size(s.Sequences, s.Capacity, s.KVHeads, s.HeadDim)
	t := &d.ops.decode
	*t = decode{AttentionDecode: s, d: d, ranges: t.ranges[:0]}
	t.out, t.q = c.f32("out", out, queries), c.f32("q", q, queries)
	t.k, t.v = c.f32("k", k, cached), c.f32("v", v, cached)
	t.lengths = c.ids("lengths", lengths, s.Sequences, 0, s.Capacity+1)
	if !passed(c, s) {
		return
	}
	t.listRanges()
	t.mixes = d.shared.floats(slotMixes, len(t.ranges)*t.mixSize())
	d.pool.run(len(t.ranges), t)
	t.join()
}

func (t *decode) listRanges() {
	for n, length := range t.lengths {
		from, to := 0, int(length)
		if t.Window > 0 {
			from = max(0, to-t.Window)
		}
		for ; from < to; from += decodeRange {
			t.ranges = append(t.ranges, decodeTask{n, interval{from, min(to, from+decodeRange)}})
		}
	}
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
	width := t.KVHeads * t.HeadDim
	scores := t.d.scratch[worker].floats(slotScores, decodeRange)[:r.positions.n()]
	for h := range t.Heads {
		first := (r.n*t.Capacity+r.positions.from)*width + h/(t.Heads/t.KVHeads)*t.HeadDim
		set.dotRows(scores, t.q[(r.n*t.Heads+h)*t.HeadDim:][:t.HeadDim], t.k[first:], width)
		set.scale(scores, t.Scale)
		if t.Cap > 0 {
			set.flatten(scores, t.Cap)
			set.scale(scores, t.Cap)
		}
		mix := t.mix(i, h)
		mix[0] = max(set.max(scores), -math.MaxFloat32) // minus infinity less itself would be NaN
		mix[1] = set.expSum(scores, 1, mix[0])
		set.mixRows(mix[2:], scores, t.v[first:], width)
	}
}

// join makes the parts of each sequence, which follow one another, its output.
func (t *decode) join() {
	clear(t.out)
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
