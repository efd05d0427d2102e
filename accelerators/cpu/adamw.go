package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/adam"
)

type adamwFactors = adam.Factors

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
	if f, finite := c.factors(s); passed(c, s) && finite {
		d.ops.adamw = adamw{d.set, ps, gs, ms, vs, f}
		d.each(n, adamwWork, &d.ops.adamw)
	}
}

// adamwWork is the work of one element, in elements passed over.
const adamwWork = 4

// factors are those of a step, which is none when the norm to clip by is not finite.
func (c *call) factors(s accelerators.AdamW) (f adamwFactors, finite bool) {
	f = adam.FactorsOf(s)
	if s.Squared.Present() {
		if x := c.f32("Squared", s.Squared, 1); len(x) == 1 {
			f[adam.GradScale], finite = clipped(x[0], s.MaxNorm)
			return f, finite
		}
	}
	return f, true
}

// clipped is what a gradient of a squared norm is multiplied with.
func clipped(squared float32, most float64) (scale float32, finite bool) {
	norm := math.Sqrt(float64(squared))
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return 0, false
	}
	if most > 0 && norm > most {
		return float32(most / norm), true
	}
	return 1, true
}

func adamwGeneric(param, grad, m, v []float32, f *adamwFactors) {
	for i := range param {
		m[i], v[i] = averaged(m[i], v[i], grad[i]*f[adam.GradScale], f)
		param[i] = updated(param[i], m[i], v[i], f)
	}
}

// averaged are the moments after a gradient g.
func averaged(m, v, g float32, f *adamwFactors) (first, second float32) {
	return f[adam.Beta1]*m + f[adam.Keep1]*g, f[adam.Beta2]*v + f[adam.Keep2]*g*g // g*g itself might be infinite
}

// updated is a weight after a step with these moments.
func updated(param, m, v float32, f *adamwFactors) float32 {
	root := float32(math.Sqrt(float64(v)))
	return f[adam.Decay]*param - f[adam.Rate]*m/(f[adam.RootScale]*root+f[adam.Epsilon])
}
