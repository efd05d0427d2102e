//go:build cuda

package cuda

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/adam"
)

// adamwOwn is how many elements a thread has.
const adamwOwn = 8

// AdamW updates param, m and v in place.
func (d *Device) AdamW(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	c := d.call("AdamW")
	n := param.Len
	c.exact("grad", grad, n)
	c.exact("m", m, n)
	c.exact("v", v, n)
	ps, gs := c.writeF32("param", param, n), c.f32("grad", grad, n)
	ms, vs := c.writeF32("m", m, n), c.writeF32("v", v, n)
	squared := c.squared(s)
	if passed(c, s) {
		d.step("adamw", "adamw_f32", tiles(n, adamwOwn), s, squared, ps, gs, ms, vs, uint64(n))
	}
}

// AdamWBF16 updates param, m and v in place.
func (d *Device) AdamWBF16(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	c := d.call("AdamWBF16")
	n := param.Len
	words := (n + 1) / 2
	c.exact("grad", grad, n)
	c.exact("m", m, words)
	c.exact("v", v, words)
	ps, gs := c.writeF32("param", param, n), c.f32("grad", grad, n)
	ms, vs := c.writeI32("m", m, words), c.writeI32("v", v, words)
	squared := c.squared(s)
	if passed(c, s) {
		d.step("adamw", "adamw_bf16", tiles(n, adamwOwn), s, squared, ps, gs, ms, vs, uint64(n),
			uint64(adam.RoundingKey(s)))
	}
}

// squared is the address of the norm that a step clips by, 0 without one.
func (c *call) squared(s accelerators.AdamW) uint64 {
	c.positive("Step", s.Step)
	if !s.Squared.Present() {
		return 0
	}
	return c.f32("Squared", s.Squared, 1)
}

// step enqueues a kernel whose last arguments are the clipping and the factors that follow it.
func (d *Device) step(family, kernel string, shape shape, s accelerators.AdamW, squared uint64, operands ...uint64) {
	clip := uint64(0)
	if squared != 0 {
		clip = d.scratch(slotClip, 4)
		d.launch("adamw", "adamw_clip", alone, clip, squared, math.Float64bits(s.MaxNorm))
	}
	operands = append(operands, clip)
	factors := adam.FactorsOf(s)
	for _, x := range factors[adam.Beta1:] {
		operands = append(operands, f32(x))
	}
	d.launch(family, kernel, shape, operands...)
}

// alone is the shape of a kernel of one thread.
var alone = shape{1, 1, 1, 1, 0}
