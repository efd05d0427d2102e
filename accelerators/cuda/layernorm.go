//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// LayerNorm: y = (x-mean)*rstd*w + b. y may be x.
func (d *Device) LayerNorm(y, mean, rstd, x, w, b accelerators.Buffer, width int, eps float32) {
	c := d.call("LayerNorm")
	rows := c.normRows(x, width)
	xs, ys := c.read("x", x, x.Len), c.update("y", y, x.Len)
	means, rs := c.writeF32("mean", mean, rows), c.writeF32("rstd", rstd, rows)
	ws, bs := c.f32("w", w, width), c.f32("b", b, width)
	if passed(c, rowShape{rows, width}) {
		s, size := forwardNorm(rows, width)
		d.launch("norm", c.variant("layer_norm"), s, ys, means, rs, xs, ws, bs, uint64(rows), uint64(width),
			uint64(size), f32(eps))
	}
}

// LayerNormGrad: with h = (x-mean)*rstd and g = dy*w, dx += rstd*(g - mean(g) - h*mean(g*h)), dw += dy*h and db += dy,
// the latter two summed over the rows in an order that depends on their number and width only.
func (d *Device) LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd accelerators.Buffer, width int) {
	c := d.call("LayerNormGrad")
	rows := c.normRows(x, width)
	dxs, dws, dbs := c.write("dx", dx, x.Len), c.writeF32("dw", dw, width), c.writeF32("db", db, width)
	dys, xs, ws := c.read("dy", dy, x.Len), c.read("x", x, x.Len), c.f32("w", w, width)
	means, rs := c.f32("mean", mean, rows), c.f32("rstd", rstd, rows)
	if !passed(c, rowShape{rows, width}) {
		return
	}
	cut := cutRows(rows, width, c.gradientBlocks()-1)
	dwParts := d.scratch(slotSums, 2*cut.bytes(width))
	dbParts := dwParts + uint64(cut.bytes(width))
	d.launch("norm", c.variant("layer_norm_grad"), cut.shape(width), dxs, dwParts, dbParts, dys, xs, ws, means, rs,
		uint64(rows), uint64(width), uint64(cut.size), uint64(cut.run))
	d.addParts(dws, dwParts, cut.parts, width)
	d.addParts(dbs, dbParts, cut.parts, width)
}
