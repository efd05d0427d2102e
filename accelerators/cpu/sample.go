package cpu

import (
	"cmp"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

type sampling struct {
	accelerators.Sample
	dev    *Device
	ids    []int32
	logits []float32
	drawn  []bool  // whether the row had a softmax
	orders [][]int // of each worker: ids in falling order of logits
}

func (o *sampling) items(worker, lo, hi int) {
	weights := o.dev.scratch[worker].floats(slotLogits, o.Vocab)
	for n := lo; n < hi; n++ {
		o.ids[n], o.drawn[n] = o.draw(worker, row(o.logits, n, o.Vocab), weights, o.Counter+uint64(n))
	}
}

// Sample draws one id for each row. Ties go to the smaller id. TopK 0 and TopP 0 (or 1) cut nothing; with both, TopP
// is of the mass that TopK left. The draw inverts the cumulative weights, in order of ids, at the stream's uniform
// number.
func (d *Device) Sample(ids, logits accelerators.Buffer, s accelerators.Sample) {
	c := d.call("Sample")
	c.positive("Vocab", s.Vocab)
	if !(s.Temperature >= 0) || s.TopK < 0 || !(s.TopP >= 0) {
		c.fail("Temperature, TopK and TopP must not be negative")
	}
	out, xs := c.i32("ids", ids, c.size(s.Rows)), c.f32("logits", logits, c.size(s.Rows, s.Vocab))
	if !passed(c, s) {
		return
	}
	o := &d.ops.sample
	o.Sample, o.dev, o.ids, o.logits = s, d, out, xs
	o.drawn = slices.Grow(o.drawn[:0], s.Rows)[:s.Rows]
	for w := range o.orders { // all of them now, as it is not known which worker gets a row
		o.orders[w] = slices.Grow(o.orders[w][:0], s.Vocab)
		d.scratch[w].floats(slotLogits, s.Vocab)
	}
	d.each(s.Rows, s.Vocab*expWork, o)
	if n := slices.Index(o.drawn, false); n >= 0 {
		c.fail("row %d of logits has no largest finite value", n)
		passed(c, s)
	}
}

// draw leaves the softmax's numerators in w. It reports false when the softmax of x is not defined.
func (o *sampling) draw(worker int, x, w []float32, counter uint64) (id int32, ok bool) {
	best := largest(o.dev.set, x)
	top := x[best]
	if math.IsNaN(float64(top)) || math.IsInf(float64(top), 0) {
		return 0, false
	}
	if o.Temperature == 0 {
		return int32(best), true
	}
	for i, v := range x {
		w[i] = v - top
	}
	o.dev.set.expSum(w, min(1/o.Temperature, math.MaxFloat32), 0)
	limit := cutoff{float32(math.Inf(-1)), len(x)}
	if o.byCount() || o.byMass() {
		o.orders[worker] = o.candidates(o.orders[worker][:0], x, w, top)
		limit = o.cut(o.orders[worker], x, w)
	}
	return limit.invert(x, w, uniform(o.Seed, counter)), true
}

// largest is the index of the first largest element, or of one that is not finite where that has no largest.
func largest(set *kernelSet, x []float32) int {
	const piece = 1024 // stays in the first-level cache
	from, top := 0, float32(math.Inf(-1))
	for lo := 0; lo < len(x); lo += piece {
		part := x[lo:min(len(x), lo+piece)]
		if sum := set.sum(part); sum-sum != 0 { // the maximum skips NaNs
			return firstLargest(x)
		}
		if m := set.max(part); m > top {
			from, top = lo, m
		}
	}
	return from + slices.Index(x[from:], top)
}

// firstLargest is largest for any elements; a NaN counts as largest.
func firstLargest(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] || v != v {
			best = i
		}
	}
	return best
}

// A cutoff keeps the logits above value and, of those equal to it, the ids up to id.
type cutoff struct {
	value float32
	id    int
}

func (c cutoff) keeps(id int, v float32) bool { return v > c.value || (v == c.value && id <= c.id) }

// byCount and byMass report whether TopK and TopP cut anything.
func (o *sampling) byCount() bool { return o.TopK > 0 && o.TopK < o.Vocab }
func (o *sampling) byMass() bool  { return o.TopP > 0 && o.TopP < 1 }

// cut finds the last id, in falling order of logits, that TopK and TopP keep.
func (o *sampling) cut(order []int, x, w []float32) cutoff {
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(x[b], x[a]), a-b) })
	total := sum64(w)
	if o.byCount() {
		order, total = order[:o.TopK], 0
		for _, i := range order {
			total += float64(w[i])
		}
	}
	last := len(order) - 1
	if o.byMass() {
		mass := 0.0
		reached := slices.IndexFunc(order, func(i int) bool {
			mass += float64(w[i])
			return mass >= float64(o.TopP)*total
		})
		if reached >= 0 { // a rounding may keep the whole from reaching its own sum
			last = reached
		}
	}
	return cutoff{x[order[last]], order[last]}
}

// candidates appends to ids those of the largest logits, enough of them for the cuts. Sorting a whole vocabulary would
// take longer than a small model's step.
func (o *sampling) candidates(ids []int, x, w []float32, top float32) []int {
	need := float64(o.TopP) * sum64(w)
	for depth := float32(0.5); ; depth *= 2 {
		floor := top - depth*o.Temperature
		if depth > 100 {
			floor = float32(math.Inf(-1))
		}
		ids = ids[:0]
		mass := 0.0
		for i, v := range x {
			if v >= floor {
				ids, mass = append(ids, i), mass+float64(w[i])
			}
		}
		if len(ids) == len(x) || (o.byCount() && len(ids) >= o.TopK) || (!o.byCount() && mass >= need) {
			return ids
		}
	}
}

func sum64(x []float32) float64 {
	total := 0.0
	for _, v := range x {
		total += float64(v)
	}
	return total
}

// invert is the first kept id at which the cumulative weights exceed u of their total.
func (c cutoff) invert(x, w []float32, u float64) int32 {
	total, last := 0.0, 0
	for i, v := range x {
		if c.keeps(i, v) {
			total += float64(w[i])
			last = i
		}
	}
	mass := 0.0
	for i, v := range x {
		if c.keeps(i, v) {
			if mass += float64(w[i]); mass > u*total {
				return int32(i)
			}
		}
	}
	return int32(last)
}

// uniform is the number in [0, 1) of a stream at a counter: two rounds of the SplitMix64 finalizer (Steele et al.
// 2014).
func uniform(seed, counter uint64) float64 {
	const gamma = 0x9e3779b97f4a7c15
	return float64(mix(mix(seed+gamma)+counter*gamma)>>11) / (1 << 53)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
