package cpu

import "github.com/carebot-llm/carebot/accelerators"

// RoPE rotates the pairs (i, i+Dim/2) of each head in place.
func (d *Device) RoPE(x, cos, sin, positions accelerators.Buffer, s accelerators.RoPE) {
	c := d.call("RoPE")
	c.positive("Heads", s.Heads)
	c.positive("Dim", s.Dim)
	if s.Dim%2 != 0 {
		c.fail("Dim must be even")
	}
	half, tokens := s.Dim/2, positions.Len
	known := c.rows("cos", cos, half)
	xs := c.f32("x", x, c.span(tokens, s.Stride, s.Heads*s.Dim))
	cs, ss := c.f32("cos", cos, cos.Len), c.f32("sin", sin, cos.Len)
	at := c.ids("positions", positions, tokens, 0, known)
	if !c.ok(s) {
		return
	}
	sign := float32(1)
	if s.Inverse {
		sign = -1
	}
	d.eachFunc(tokens, s.Heads*s.Dim, func(_, lo, hi int) {
		for t := lo; t < hi; t++ {
			p := int(at[t]) * half
			for h := range s.Heads {
				head := xs[t*s.Stride+h*s.Dim:][:s.Dim]
				d.set.rotate(head[:half], head[half:], cs[p:p+half], ss[p:p+half], sign)
			}
		}
	})
}
