//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// Scale: x *= alpha.
func (d *Device) Scale(x accelerators.Buffer, alpha float32) {
	c := d.call("Scale")
	xs := c.write("x", x, x.Len)
	if passed(c, x.Len) {
		d.launch("vector", c.variant("scale"), covering(x.Len), xs, uint64(x.Len), f32(alpha))
	}
}
