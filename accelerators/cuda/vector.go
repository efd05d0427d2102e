//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// vectorOwn is how many elements a thread has.
const vectorOwn = 16

// Add: out = a+b. out may be a or b.
func (d *Device) Add(out, a, b accelerators.Buffer) { d.combine("Add", "add", out, a, b) }

// Mul: out = a*b, element by element. out may be a or b.
func (d *Device) Mul(out, a, b accelerators.Buffer) { d.combine("Mul", "mul", out, a, b) }

func (d *Device) combine(op, kernel string, out, a, b accelerators.Buffer) {
	c := d.call(op)
	n := out.Len
	c.exact("a", a, n)
	c.exact("b", b, n)
	to, x, y := c.update("out", out, n), c.read("a", a, n), c.read("b", b, n)
	if passed(c, n) {
		d.launch("vector", c.variant(kernel), tiles(n, vectorOwn), to, x, y, uint64(n))
	}
}

// Axpy: y += alpha*x. x may be y.
func (d *Device) Axpy(y, x accelerators.Buffer, alpha float32) {
	c := d.call("Axpy")
	c.exact("x", x, y.Len)
	to, from := c.update("y", y, y.Len), c.read("x", x, y.Len)
	if passed(c, y.Len) {
		d.launch("vector", c.variant("axpy"), tiles(y.Len, vectorOwn), to, from, uint64(y.Len), f32(alpha))
	}
}

// Scale: x *= alpha.
func (d *Device) Scale(x accelerators.Buffer, alpha float32) {
	c := d.call("Scale")
	xs := c.write("x", x, x.Len)
	if passed(c, x.Len) {
		d.launch("vector", c.variant("scale"), tiles(x.Len, vectorOwn), xs, uint64(x.Len), f32(alpha))
	}
}
