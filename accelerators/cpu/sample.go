package cpu

import (
	"cmp"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

type sampling struct {
	dev    *Device
	vocab  int
	draws  []accelerators.Draw
	ids    []int32
	logits []float32
	drawn  []bool  // whether the row had a softmax
	orders [][]int // of each worker: ids in falling order of logits
}

func (o *sampling) items(worker, lo, hi int) {
	weights := o.dev.scratch[worker].floats(slotLogits, o.vocab)
	for n := lo; n < hi; n++ {
		d := drawing{&o.draws[n], row(o.logits, n, o.vocab), weights, o.dev.set}
		o.ids[n], o.drawn[n] = d.id(&o.orders[worker])
	}
}

// sampleShape is how an error names the call.
type sampleShape struct{ Rows, Vocab int }

// Sample draws one id for each row. Ties go to the smaller id. TopK 0 and TopP 0 (or 1) cut nothing; with both, TopP
// is of the mass that TopK left. The draw inverts the cumulative weights, in order of ids, at the stream's uniform
// number.
func (d *Device) Sample(ids, logits accelerators.Buffer, vocab int, draws []accelerators.Draw) {
	c := d.call("Sample")
	c.positive("vocab", vocab)
	for i := range draws {
		if s := &draws[i]; !(s.Temperature >= 0) || s.TopK < 0 || !(s.TopP >= 0) {
			c.fail("Temperature, TopK and TopP of draw %d must not be negative", i)
		}
	}
	shape := sampleShape{len(draws), vocab}
	out, xs := c.i32("ids", ids, shape.Rows), c.f32("logits", logits, c.size(shape.Rows, vocab))
	if !passed(c, shape) {
		return
	}
	o := &d.ops.sample
	o.dev, o.vocab, o.draws, o.ids, o.logits = d, vocab, draws, out, xs
	o.drawn = slices.Grow(o.drawn[:0], shape.Rows)[:shape.Rows]
	for w := range o.orders { // all of them now, as it is not known which worker gets a row
		o.orders[w] = slices.Grow(o.orders[w][:0], vocab)
		d.scratch[w].floats(slotLogits, vocab)
	}
	d.each(shape.Rows, vocab*expWork, o)
	o.draws = nil
	if n := slices.Index(o.drawn, false); n >= 0 {
		c.fail("row %d of logits has no largest finite value", n)
		passed(c, shape)
	}
}

// A drawing is a draw from a row x; it leaves the softmax's numerators in w.
type drawing struct {
	*accelerators.Draw
	x, w []float32
	set  *kernelSet
}

// id reports false when the softmax of x is not defined. Order is memory for as many ids as x has.
func (d *drawing) id(order *[]int) (id int32, ok bool) {
	x, w := d.x, d.w
	best := largest(d.set, x)
	top := x[best]
	if math.IsNaN(float64(top)) || math.IsInf(float64(top), 0) {
		return 0, false
	}
	if d.Temperature == 0 {
		return int32(best), true
	}
	for i, v := range x {
		w[i] = v - top
	}
	d.set.expSum(w, min(1/d.Temperature, math.MaxFloat32), 0)
	limit := cutoff{float32(math.Inf(-1)), len(x)}
	if d.byCount() || d.byMass() {
		*order = d.candidates((*order)[:0], top)
		limit = d.cut(*order)
	}
	return limit.invert(x, w, uniform(d.Seed, d.Counter)), true
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
func (d *drawing) byCount() bool { return d.TopK > 0 && d.TopK < len(d.x) }
func (d *drawing) byMass() bool  { return d.TopP > 0 && d.TopP < 1 }

// cut finds the last id, in falling order of logits, that TopK and TopP keep.
func (d *drawing) cut(order []int) cutoff {
	x, w := d.x, d.w
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(x[b], x[a]), a-b) })
	total := sum64(w)
	if d.byCount() {
		order, total = order[:d.TopK], 0
		for _, i := range order {
			total += float64(w[i])
		}
	}
	last := len(order) - 1
	if d.byMass() {
		mass := 0.0
		reached := slices.IndexFunc(order, func(i int) bool {
			mass += float64(w[i])
			return mass >= float64(d.TopP)*total
		})
		if reached >= 0 { // a rounding may keep the whole from reaching its own sum
			last = reached
		}
	}
	return cutoff{x[order[last]], order[last]}
}

// candidates appends to ids those of the largest logits, enough of them for the cuts. Sorting a whole vocabulary would
// take longer than a small model's step.
func (d *drawing) candidates(ids []int, top float32) []int {
	need := float64(d.TopP) * sum64(d.w)
	for depth := float32(0.5); ; depth *= 2 {
		floor := top - depth*d.Temperature
		if depth > 100 {
			floor = float32(math.Inf(-1))
		}
		ids = ids[:0]
		mass := 0.0
		for i, v := range d.x {
			if v >= floor {
				ids, mass = append(ids, i), mass+float64(d.w[i])
			}
		}
		if len(ids) == len(d.x) || (d.byCount() && len(ids) >= d.TopK) || (!d.byCount() && mass >= need) {
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
