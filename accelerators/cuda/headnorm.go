//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// headNormShape checks the description and returns the elements that its rows span and the number of heads in all.
func (c *call) headNormShape(s accelerators.HeadNorm) (span, heads int) {
	c.positive("Heads", s.Heads)
	c.positive("Dim", s.Dim)
	span, heads = c.span(s.Tokens, s.Stride, c.size(s.Heads, s.Dim)), c.size(s.Tokens, s.Heads)
	c.counted("the number of heads", heads)
	c.counted("Dim", s.Dim)
	return span, heads
}

// HeadNorm: each head is x * rstd * w, as in RMSNorm. y may be x.
func (d *Device) HeadNorm(y, rstd, x, w accelerators.Buffer, s accelerators.HeadNorm) {
	c := d.call("HeadNorm")
	span, heads := c.headNormShape(s)
	xs, ys := c.read("x", x, span), c.update("y", y, span)
	rs, ws := c.writeF32("rstd", rstd, heads), c.f32("w", w, s.Dim)
	if passed(c, s) {
		shape, size := forwardNorm(heads, s.Dim)
		d.launch("norm", c.variant("rms_norm"), shape, ys, rs, xs, ws, uint64(heads), uint64(s.Heads), uint64(s.Dim),
			uint64(s.Stride), uint64(size), f32(s.Eps))
	}
}

// HeadNormGrad overwrites the heads of dx and adds to dw, as RMSNormGrad does.
func (d *Device) HeadNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, s accelerators.HeadNorm) {
	c := d.call("HeadNormGrad")
	span, heads := c.headNormShape(s)
	dxs, dws := c.write("dx", dx, span), c.writeF32("dw", dw, s.Dim)
	dys, xs := c.read("dy", dy, span), c.read("x", x, span)
	ws, rs := c.f32("w", w, s.Dim), c.f32("rstd", rstd, heads)
	if passed(c, s) {
		cut := cutRows(heads, s.Dim, c.gradientBlocks())
		parts := d.scratch(slotSums, cut.bytes(s.Dim))
		d.launch("norm", c.variant("rms_norm_grad"), cut.shape(s.Dim), dxs, parts, dys, xs, ws, rs, uint64(heads),
			uint64(s.Heads), uint64(s.Dim), uint64(s.Stride), uint64(cut.size), uint64(cut.run), 0)
		d.addParts(dws, parts, cut.parts, s.Dim)
	}
}
