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

type adamw struct {
	set               *kernelSet
	param, grad, m, v []float32
	factors           adamwFactors
}

func (o *adamw) items(_, lo, hi int) {
	o.set.adamw(o.param[lo:hi], o.grad[lo:hi], o.m[lo:hi], o.v[lo:hi], &o.factors)
}

// AdamW updates param, m and v in place.
func (d *Device) AdamW(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	c := d.call("AdamW")
	n := param.Len
	c.exact("grad", grad, n)
	c.exact("m", m, n)
	c.exact("v", v, n)
	c.positive("Step", s.Step)
	ps, gs := c.write("param", param, n), c.f32("grad", grad, n)
	ms, vs := c.write("m", m, n), c.write("v", v, n)
	if passed(c, s) {
		d.ops.adamw = adamw{d.set, ps, gs, ms, vs, factors(s)}
		d.each(n, adamwWork, &d.ops.adamw)
	}
}

// adamwWork is the work of one element, in elements passed over.
const adamwWork = 4

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

func adamwGeneric(param, grad, m, v []float32, f *adamwFactors) {
	for i := range param {
		m[i], v[i] = averaged(m[i], v[i], grad[i]*f[gradScale], f)
		param[i] = updated(param[i], m[i], v[i], f)
	}
}

// averaged are the moments after a gradient g.
func averaged(m, v, g float32, f *adamwFactors) (first, second float32) {
	return f[beta1]*m + f[keep1]*g, f[beta2]*v + f[keep2]*g*g // g*g itself might be infinite
}

// updated is a weight after a step with these moments.
func updated(param, m, v float32, f *adamwFactors) float32 {
	root := float32(math.Sqrt(float64(v)))
	return f[decay]*param - f[rate]*m/(f[rootScale]*root+f[epsilon])
}
