package cpu

import "github.com/carebot-llm/carebot/accelerators"

type geglu struct {
	set   *kernelSet
	inner int
	y, x  []float32
}

func (o *geglu) items(_, lo, hi int) {
	for t := lo; t < hi; t++ {
		y := row(o.y, t, o.inner)
		gate, up := halves(o.x, t, o.inner)
		o.set.geluTanh(y, gate)
		o.set.mul(y, y, up)
	}
}

// GeGLU: y[t,f] = GELUTanh(x[t,f]) * x[t,F+f].
func (d *Device) GeGLU(y, x accelerators.Buffer, inner int) {
	c := d.call("GeGLU")
	rows := c.rows("y", y, inner)
	ys, xs := c.write("y", y, y.Len), c.f32("x", x, c.size(2, y.Len))
	if passed(c, rowShape{rows, inner}) {
		d.ops.geglu = geglu{d.set, inner, ys, xs}
		d.each(rows, inner*expWork, &d.ops.geglu)
	}
}

type gegluGrad struct {
	set       *kernelSet
	inner     int
	dx, dy, x []float32
}

func (o *gegluGrad) items(_, lo, hi int) {
	for t := lo; t < hi; t++ {
		dy := row(o.dy, t, o.inner)
		dgate, dup := halves(o.dx, t, o.inner)
		gate, up := halves(o.x, t, o.inner)
		o.set.mul(dup, dy, up)
		o.set.geluTanhGrad(dgate, dup, gate)
		o.set.geluTanh(dup, gate)
		o.set.mul(dup, dup, dy)
	}
}

// GeGLUGrad overwrites dx.
func (d *Device) GeGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	c := d.call("GeGLUGrad")
	rows := c.rows("dy", dy, inner)
	dys := c.f32("dy", dy, dy.Len)
	dxs, xs := c.write("dx", dx, c.size(2, dy.Len)), c.f32("x", x, c.size(2, dy.Len))
	if passed(c, rowShape{rows, inner}) {
		d.ops.gegluGrad = gegluGrad{d.set, inner, dxs, dys, xs}
		d.each(rows, inner*expWork, &d.ops.gegluGrad)
	}
}
