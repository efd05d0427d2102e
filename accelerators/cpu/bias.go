package cpu

import "github.com/carebot-llm/carebot/accelerators"

// AddBias: y[t,:] += bias.
func (d *Device) AddBias(y, bias accelerators.Buffer, width int) {
	c := d.call("AddBias")
	rows := c.rows("y", y, width)
	ys, bs := c.f32("y", y, y.Len), c.f32("bias", bias, width)
	if !c.ok(rowShape{rows, width}) {
		return
	}
	d.eachFunc(rows, width, func(_, lo, hi int) {
		for t := lo; t < hi; t++ {
			d.set.axpy(ys[t*width:(t+1)*width], bs, 1)
		}
	})
}

// BiasGrad: dbias += column sums of dy, in order of the rows.
func (d *Device) BiasGrad(dbias, dy accelerators.Buffer, width int) {
	c := d.call("BiasGrad")
	rows := c.rows("dy", dy, width)
	to, from := c.f32("dbias", dbias, width), c.f32("dy", dy, dy.Len)
	if !c.ok(rowShape{rows, width}) {
		return
	}
	d.columns(rows, width, func(lo, hi int) {
		for t := range rows {
			d.set.axpy(to[lo:hi], from[t*width+lo:t*width+hi], 1)
		}
	})
}
