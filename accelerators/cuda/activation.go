//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// SwiGLU: y[t,f] = silu(x[t,f]) * x[t,F+f].
func (d *Device) SwiGLU(y, x accelerators.Buffer, inner int) {
	d.gated("SwiGLU", "swiglu", y, x, inner)
}

// SwiGLUGrad overwrites dx, which may be x.
func (d *Device) SwiGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	d.gatedGrad("SwiGLUGrad", "swiglu_grad", dx, dy, x, inner)
}

// GeGLU: y[t,f] = GELUTanh(x[t,f]) * x[t,F+f].
func (d *Device) GeGLU(y, x accelerators.Buffer, inner int) { d.gated("GeGLU", "geglu", y, x, inner) }

// GeGLUGrad overwrites dx, which may be x.
func (d *Device) GeGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	d.gatedGrad("GeGLUGrad", "geglu_grad", dx, dy, x, inner)
}

// GELU: y = x/2 (1+erf(x/sqrt 2)). y may be x.
func (d *Device) GELU(y, x accelerators.Buffer) { d.unary("GELU", "gelu", y, x) }

// GELUGrad overwrites dx, which may be dy or x.
func (d *Device) GELUGrad(dx, dy, x accelerators.Buffer) {
	d.unaryGrad("GELUGrad", "gelu_grad", dx, dy, x, "x")
}

// GELUTanh: y = x/2 (1+tanh(sqrt(2/pi) (x+0.044715x^3))). y may be x.
func (d *Device) GELUTanh(y, x accelerators.Buffer) { d.unary("GELUTanh", "gelu_tanh", y, x) }

// GELUTanhGrad overwrites dx, which may be dy or x.
func (d *Device) GELUTanhGrad(dx, dy, x accelerators.Buffer) {
	d.unaryGrad("GELUTanhGrad", "gelu_tanh_grad", dx, dy, x, "x")
}

// Tanh: y = tanh(x). y may be x.
func (d *Device) Tanh(y, x accelerators.Buffer) { d.unary("Tanh", "tanh", y, x) }

// TanhGrad overwrites dx, which may be dy or y, from the output y.
func (d *Device) TanhGrad(dx, dy, y accelerators.Buffer) {
	d.unaryGrad("TanhGrad", "tanh_grad", dx, dy, y, "y")
}

func (d *Device) unary(op, kernel string, y, x accelerators.Buffer) {
	c := d.call(op)
	n := x.Len
	c.exact("y", y, n)
	xs, ys := c.read("x", x, n), c.update("y", y, n)
	if passed(c, n) {
		s, _ := overRows(1, n)
		d.launch("activation", c.variant(kernel), s, ys, xs, uint64(n))
	}
}

// unaryGrad takes the derivative from x, which an error calls by its name.
func (d *Device) unaryGrad(op, kernel string, dx, dy, x accelerators.Buffer, name string) {
	c := d.call(op)
	n := dx.Len
	c.exact("dy", dy, n)
	c.exact(name, x, n)
	dys, xs, dxs := c.read("dy", dy, n), c.read(name, x, n), c.update("dx", dx, n)
	if passed(c, n) {
		s, _ := overRows(1, n)
		d.launch("activation", c.variant(kernel), s, dxs, dys, xs, uint64(n))
	}
}

func (d *Device) gated(op, kernel string, y, x accelerators.Buffer, inner int) {
	c := d.call(op)
	rows := c.rows("y", y, inner)
	ys, xs := c.write("y", y, y.Len), c.read("x", x, c.size(2, y.Len))
	c.counted("inner", inner)
	if passed(c, rowShape{rows, inner}) {
		s, chunks := overRows(rows, inner)
		d.launch("activation", c.variant(kernel), s, ys, xs, uint64(inner), uint64(chunks))
	}
}

func (d *Device) gatedGrad(op, kernel string, dx, dy, x accelerators.Buffer, inner int) {
	c := d.call(op)
	rows := c.rows("dy", dy, inner)
	dys := c.read("dy", dy, dy.Len)
	dxs, xs := c.update("dx", dx, c.size(2, dy.Len)), c.read("x", x, c.size(2, dy.Len))
	c.counted("inner", inner)
	if passed(c, rowShape{rows, inner}) {
		s, chunks := overRows(rows, inner)
		d.launch("activation", c.variant(kernel), s, dxs, dys, xs, uint64(inner), uint64(chunks))
	}
}
