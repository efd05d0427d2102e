package cpu

import "github.com/carebot-llm/carebot/accelerators"

// expWork is the work of one element of an activation, in elements passed over.
const expWork = 4

type swiglu struct {
	set   *kernelSet
	inner int
	y, x  []float32
}

func (o *swiglu) items(_, lo, hi int) {
	for t := lo; t < hi; t++ {
		gate, up := halves(o.x, t, o.inner)
		o.set.swiglu(row(o.y, t, o.inner), gate, up)
	}
}

// SwiGLU: y[t,f] = silu(x[t,f]) * x[t,F+f].
func (d *Device) SwiGLU(y, x accelerators.Buffer, inner int) {
	c := d.call("SwiGLU")
	rows := c.rows("y", y, inner)
	ys, xs := c.write("y", y, y.Len), c.f32("x", x, c.size(2, y.Len))
	if passed(c, rowShape{rows, inner}) {
		d.ops.swiglu = swiglu{d.setFor(ys, inner), inner, ys, xs}
		d.each(rows, inner*expWork, &d.ops.swiglu)
	}
}

type swigluGrad struct {
	set       *kernelSet
	inner     int
	dx, dy, x []float32
}

func (o *swigluGrad) items(_, lo, hi int) {
	for t := lo; t < hi; t++ {
		dgate, dup := halves(o.dx, t, o.inner)
		gate, up := halves(o.x, t, o.inner)
		o.set.swigluGrad(dgate, dup, row(o.dy, t, o.inner), gate, up)
	}
}

// SwiGLUGrad overwrites dx, which may be x.
func (d *Device) SwiGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	c := d.call("SwiGLUGrad")
	rows := c.rows("dy", dy, inner)
	dys := c.f32("dy", dy, dy.Len)
	dxs, xs := c.update("dx", dx, c.size(2, dy.Len)), c.f32("x", x, c.size(2, dy.Len))
	if passed(c, rowShape{rows, inner}) {
		d.ops.swigluGrad = swigluGrad{d.setFor(dxs, inner), inner, dxs, dys, xs}
		d.each(rows, inner*expWork, &d.ops.swigluGrad)
	}
}

func halves(x []float32, t, inner int) (gate, up []float32) {
	x = row(x, t, 2*inner)
	return x[:inner:inner], x[inner:]
}

// GELU: y = x/2 (1+erf(x/sqrt 2)). y may be x.
func (d *Device) GELU(y, x accelerators.Buffer) {
	kernel := func(s *kernelSet) func(y, x []float32) { return s.gelu }
	d.unary("GELU", expWork, kernel, argument{"y", y}, argument{"x", x})
}

// GELUGrad overwrites dx, which may be dy or x.
func (d *Device) GELUGrad(dx, dy, x accelerators.Buffer) {
	kernel := func(s *kernelSet) func(dx, dy, x []float32) { return s.geluGrad }
	d.binary("GELUGrad", expWork, kernel, argument{"dx", dx}, argument{"dy", dy}, argument{"x", x})
}

// GELUTanh: y = x/2 (1+tanh(sqrt(2/pi) (x+0.044715x^3))). y may be x.
func (d *Device) GELUTanh(y, x accelerators.Buffer) {
	kernel := func(s *kernelSet) func(y, x []float32) { return s.geluTanh }
	d.unary("GELUTanh", expWork, kernel, argument{"y", y}, argument{"x", x})
}

// GELUTanhGrad overwrites dx, which may be dy or x.
func (d *Device) GELUTanhGrad(dx, dy, x accelerators.Buffer) {
	kernel := func(s *kernelSet) func(dx, dy, x []float32) { return s.geluTanhGrad }
	d.binary("GELUTanhGrad", expWork, kernel, argument{"dx", dx}, argument{"dy", dy}, argument{"x", x})
}

// Tanh: y = tanh(x). y may be x.
func (d *Device) Tanh(y, x accelerators.Buffer) {
	kernel := func(s *kernelSet) func(y, x []float32) { return s.tanh }
	d.unary("Tanh", expWork, kernel, argument{"y", y}, argument{"x", x})
}

// TanhGrad overwrites dx, which may be dy or y, from the output y.
func (d *Device) TanhGrad(dx, dy, y accelerators.Buffer) {
	kernel := func(s *kernelSet) func(dx, dy, x []float32) { return s.tanhGrad }
	d.binary("TanhGrad", 1, kernel, argument{"dx", dx}, argument{"dy", dy}, argument{"y", y})
}
