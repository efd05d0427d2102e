package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// adamwFactors are the numbers of one step, with the bias corrections worked in, in the order of the constants below.
type adamwFactors = [9]float32

const (
	gradScale = iota
	beta1
	keep1 // 1-beta1
	beta2
	keep2
	rootScale // 1/sqrt(1-beta2^step)
	epsilon
	rate  // lr/(1-beta1^step)
	decay // 1-lr*weight decay
)

// AdamW updates param, m and v in place.
func (d *Device) AdamW(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	c := d.call("AdamW")
	n := param.Len
	c.exact("grad", grad, n)
	c.exact("m", m, n)
	c.exact("v", v, n)
	c.positive("Step", s.Step)
	ps, gs, ms, vs := c.f32("param", param, n), c.f32("grad", grad, n), c.f32("m", m, n), c.f32("v", v, n)
	if !c.ok(s) {
		return
	}
	f := factors(s)
	d.eachFunc(n, 4, func(_, lo, hi int) { d.set.adamw(ps[lo:hi], gs[lo:hi], ms[lo:hi], vs[lo:hi], &f) })
}

func factors(s accelerators.AdamW) adamwFactors {
	b1, b2, step := float64(s.Beta1), float64(s.Beta2), float64(s.Step)
	return adamwFactors{
		gradScale: s.GradScale,
		beta1:     s.Beta1,
		keep1:     float32(1 - b1),
		beta2:     s.Beta2,
		keep2:     float32(1 - b2),
		rootScale: float32(1 / math.Sqrt(1-math.Pow(b2, step))),
		epsilon:   s.Eps,
		rate:      float32(float64(s.LR) / (1 - math.Pow(b1, step))),
		decay:     float32(1 - float64(s.LR)*float64(s.WeightDecay)),
	}
}
