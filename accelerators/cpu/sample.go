package cpu

import (
	"cmp"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

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
	if !c.ok(s) {
		return
	}
	drawn := make([]bool, s.Rows)
	d.eachFunc(s.Rows, s.Vocab*expWork, func(worker, lo, hi int) {
		weights := d.scratch[worker].floats(slotLogits, s.Vocab)
		for n := lo; n < hi; n++ {
			out[n], drawn[n] = d.draw(xs[n*s.Vocab:(n+1)*s.Vocab], weights, s, s.Counter+uint64(n))
		}
	})
	if n := slices.Index(drawn, false); n >= 0 {
		c.fail("row %d of logits has no largest finite value", n)
		c.ok(s)
	}
}

// draw leaves the softmax's numerators in w. It reports false when the softmax of x is not defined.
func (d *Device) draw(x, w []float32, s accelerators.Sample, counter uint64) (id int32, ok bool) {
	best := largest(x)
	top := x[best]
	if math.IsNaN(float64(top)) || math.IsInf(float64(top), 0) {
		return 0, false
	}
	if s.Temperature == 0 {
		return int32(best), true
	}
	for i, v := range x {
		w[i] = v - top
	}
	d.set.expSum(w, min(1/s.Temperature, math.MaxFloat32), 0)
	limit := cutoff{float32(math.Inf(-1)), len(x)}
	if (s.TopK > 0 && s.TopK < len(x)) || (s.TopP > 0 && s.TopP < 1) {
		limit = cut(x, w, top, s)
	}
	return limit.invert(x, w, uniform(s.Seed, counter)), true
}

// largest is the index of the first largest element; a NaN counts as largest.
func largest(x []float32) int {
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

// cut finds the last id, in falling order of logits, that TopK and TopP keep.
func cut(x, w []float32, top float32, s accelerators.Sample) cutoff {
	order := candidates(x, w, top, s)
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(x[b], x[a]), a-b) })
	total := sum64(w)
	if s.TopK > 0 && s.TopK < len(x) {
		order, total = order[:s.TopK], 0
		for _, i := range order {
			total += float64(w[i])
		}
	}
	last := len(order) - 1
	if s.TopP > 0 && s.TopP < 1 {
		mass := 0.0
		reached := slices.IndexFunc(order, func(i int) bool {
			mass += float64(w[i])
			return mass >= float64(s.TopP)*total
		})
		if reached >= 0 { // a rounding may keep the whole from reaching its own sum
			last = reached
		}
	}
	return cutoff{x[order[last]], order[last]}
}

// candidates are the ids of the largest logits, enough of them for the cuts. Sorting a whole vocabulary would take
// longer than a small model's step.
func candidates(x, w []float32, top float32, s accelerators.Sample) []int {
	need := float64(s.TopP) * sum64(w)
	for depth := float32(0.5); ; depth *= 2 {
		floor := top - depth*s.Temperature
		if depth > 100 {
			floor = float32(math.Inf(-1))
		}
		var ids []int
		mass := 0.0
		for i, v := range x {
			if v >= floor {
				ids, mass = append(ids, i), mass+float64(w[i])
			}
		}
		byCount := s.TopK > 0 && s.TopK < len(x)
		if len(ids) == len(x) || (byCount && len(ids) >= s.TopK) || (!byCount && mass >= need) {
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
