package cpu

import "github.com/carebot-llm/carebot/accelerators"

type rope struct {
	accelerators.RoPE
	set         *kernelSet
	x, cos, sin []float32
	positions   []int32
	sign        float32
}

func (o *rope) items(_, lo, hi int) {
	half := o.Dim / 2
	for t := lo; t < hi; t++ {
		p := int(o.positions[t])
		cos, sin := row(o.cos, p, half), row(o.sin, p, half)
		for h := range o.Heads {
			head := o.x[t*o.Stride+h*o.Dim:][:o.Dim]
			o.set.rotate(head[:half], head[half:], cos, sin, o.sign)
		}
	}
}

// RoPE rotates the pairs (i, i+Dim/2) of each head in place.
func (d *Device) RoPE(x, cos, sin, positions accelerators.Buffer, s accelerators.RoPE) {
	c := d.call("RoPE")
	c.positive("Heads", s.Heads)
	c.positive("Dim", s.Dim)
	if s.Dim%2 != 0 {
		c.fail("Dim must be even")
	}
	tokens := positions.Len
	known := c.rows("cos", cos, s.Dim/2)
	xs := c.write("x", x, c.span(tokens, s.Stride, c.size(s.Heads, s.Dim)))
	cs, ss := c.f32("cos", cos, cos.Len), c.f32("sin", sin, cos.Len)
	at := c.ids("positions", positions, tokens, 0, known)
	if !passed(c, s) {
		return
	}
	sign := float32(1)
	if s.Inverse {
		sign = -1
	}
	d.ops.rope = rope{s, d.set, xs, cs, ss, at, sign}
	d.each(tokens, s.Heads*s.Dim, &d.ops.rope)
}
