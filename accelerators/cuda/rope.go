//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// RoPE rotates the pairs (i, i+Dim/2) of each head in place.
func (d *Device) RoPE(x, cos, sin, positions accelerators.Buffer, s accelerators.RoPE) {
	c := d.call("RoPE")
	c.positive("Heads", s.Heads)
	c.positive("Dim", s.Dim)
	if s.Dim%2 != 0 {
		c.fail("Dim must be even")
	}
	tokens, half := positions.Len, s.Dim/2
	known := c.rows("cos", cos, half)
	xs := c.write("x", x, c.span(tokens, s.Stride, c.size(s.Heads, s.Dim)))
	cs, ss := c.f32("cos", cos, cos.Len), c.f32("sin", sin, cos.Len)
	at := c.ids("positions", positions, tokens, 0, known)
	c.counted("the width of the heads", s.Heads*s.Dim)
	if !passed(c, s) {
		return
	}
	sign := float32(1)
	if s.Inverse {
		sign = -1
	}
	shape, chunks := overRows(tokens, s.Heads*blocks(half, piece)*piece)
	d.launch("rope", c.variant("rope"), shape, xs, cs, ss, at, uint64(known), uint64(s.Heads), uint64(half),
		uint64(s.Stride), uint64(chunks), f32(sign))
}
