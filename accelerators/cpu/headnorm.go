package cpu

import "github.com/carebot-llm/carebot/accelerators"

type headNorm struct {
	accelerators.HeadNorm
	set           *kernelSet
	y, rstd, x, w []float32
}

// items are heads, those of a row before those of the next.
func (o *headNorm) items(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		x := headOf(o.x, o.HeadNorm, i)
		r := reciprocalRoot(sumOfSquares(o.set, x, o.Eps), o.Dim, o.Eps)
		o.rstd[i] = r
		o.set.scaleMul(headOf(o.y, o.HeadNorm, i), x, o.w, r)
	}
}

func headOf(x []float32, s accelerators.HeadNorm, i int) []float32 {
	at := i/s.Heads*s.Stride + i%s.Heads*s.Dim
	return x[at : at+s.Dim : at+s.Dim]
}

// headNormShape checks the description and returns the elements that its rows span and the number of heads in all.
func (c *call) headNormShape(s accelerators.HeadNorm) (span, heads int) {
	c.positive("Heads", s.Heads)
	c.positive("Dim", s.Dim)
	return c.span(s.Tokens, s.Stride, c.size(s.Heads, s.Dim)), c.size(s.Tokens, s.Heads)
}

// HeadNorm: each head is x * rstd * w, as in RMSNorm. y may be x.
func (d *Device) HeadNorm(y, rstd, x, w accelerators.Buffer, s accelerators.HeadNorm) {
	c := d.call("HeadNorm")
	span, heads := c.headNormShape(s)
	xs, ys := c.f32("x", x, span), c.update("y", y, span)
	rs, ws := c.write("rstd", rstd, heads), c.f32("w", w, s.Dim)
	if passed(c, s) {
		d.ops.headNorm = headNorm{s, d.set, ys, rs, xs, ws}
		d.each(heads, 2*s.Dim, &d.ops.headNorm)
	}
}

// headNormGrad has a row of sums for the weight's gradient for each part of the heads.
type headNormGrad struct {
	accelerators.HeadNorm
	set             *kernelSet
	step            int
	dx, dy, x       []float32
	w, rstd, wParts []float32
}

func (o *headNormGrad) items(_, lo, hi int) {
	dw := row(o.wParts, lo/o.step, o.Dim)
	clear(dw)
	for i := lo; i < hi; i++ {
		dx, dy, x := headOf(o.dx, o.HeadNorm, i), headOf(o.dy, o.HeadNorm, i), headOf(o.x, o.HeadNorm, i)
		clear(dx)
		mean := o.rstd[i] * o.set.dot3(x, dy, o.w) / float32(o.Dim)
		o.set.rmsNormGrad(dx, dw, dy, x, o.w, o.rstd[i], mean)
	}
}

// HeadNormGrad overwrites the heads of dx and adds to dw, as RMSNormGrad does.
func (d *Device) HeadNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, s accelerators.HeadNorm) {
	c := d.call("HeadNormGrad")
	span, heads := c.headNormShape(s)
	dxs, dws := c.write("dx", dx, span), c.write("dw", dw, s.Dim)
	dys, xs := c.f32("dy", dy, span), c.f32("x", x, span)
	ws, rs := c.f32("w", w, s.Dim), c.f32("rstd", rstd, heads)
	if !passed(c, s) {
		return
	}
	sums := d.shared.floats(slotParts, maxParts*s.Dim)
	d.ops.headNormGrad = headNormGrad{s, d.set, partStep(heads), dxs, dys, xs, ws, rs, sums}
	parts, _ := d.parts(heads, &d.ops.headNormGrad)
	d.addParts(dws, sums, parts)
}
