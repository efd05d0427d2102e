package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

type rmsNorm struct {
	set           *kernelSet
	eps           float32
	y, rstd, x, w []float32
}

func (o *rmsNorm) items(_, lo, hi int) {
	width := len(o.w)
	for t := lo; t < hi; t++ {
		x := row(o.x, t, width)
		r := reciprocalRoot(sumOfSquares(o.set, x, o.eps), width, o.eps)
		o.rstd[t] = r
		o.set.scaleMul(row(o.y, t, width), x, o.w, r)
	}
}

// held reports whether float32 held a sum of squares: nothing was infinite, and what squares lost by being denormal
// does not count, beside the sum or beside eps.
func held(sum, eps float32) bool { return sum < 1e38 && (sum > 1e-30 || eps > 1e-30) }

// sumOfSquares is in float32 where that holds it, else in float64.
func sumOfSquares(set *kernelSet, x []float32, eps float32) float64 {
	if sum := set.dot(x, x); held(sum, eps) {
		return float64(sum)
	}
	return set.dot64(x, x)
}

// reciprocalRoot is 1/sqrt(sum/n + eps).
func reciprocalRoot(sum float64, n int, eps float32) float32 {
	return float32(1 / math.Sqrt(sum/float64(n)+float64(eps)))
}

// RMSNorm: y = x * rstd * w. y may be x. For finite x of any size and rows of up to 8192 elements, rstd and y are within
// 8 units in the last place of the exact ones.
func (d *Device) RMSNorm(y, rstd, x, w accelerators.Buffer, width int, eps float32) {
	c := d.call("RMSNorm")
	rows := c.rows("x", x, width)
	xs, ys := c.f32("x", x, x.Len), c.update("y", y, x.Len)
	rs, ws := c.write("rstd", rstd, rows), c.f32("w", w, width)
	if passed(c, rowShape{rows, width}) {
		d.ops.rmsNorm = rmsNorm{d.setFor(ys, width), eps, ys, rs, xs, ws}
		d.each(rows, 2*width, &d.ops.rmsNorm)
	}
}

// rmsNormGrad has a row of sums for the weight's gradient for each part of the rows.
type rmsNormGrad struct {
	set             *kernelSet
	step            int
	dx, dy, x       []float32
	w, rstd, wParts []float32
}

func (o *rmsNormGrad) items(_, lo, hi int) {
	width := len(o.w)
	dw := row(o.wParts, lo/o.step, width)
	clear(dw)
	for t := lo; t < hi; t++ {
		dx, dy, x := row(o.dx, t, width), row(o.dy, t, width), row(o.x, t, width)
		mean := o.rstd[t] * o.set.dot3(x, dy, o.w) / float32(width)
		o.set.rmsNormGrad(dx, dw, dy, x, o.w, o.rstd[t], mean)
	}
}

// RMSNormGrad: with h = x*rstd, dx += rstd*(dy*w - h*mean(dy*w*h)) and dw += dy*h, summed over the rows in an order
// that depends on their number only.
func (d *Device) RMSNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, width int) {
	c := d.call("RMSNormGrad")
	rows := c.rows("x", x, width)
	dxs, dws := c.write("dx", dx, x.Len), c.write("dw", dw, width)
	dys, xs := c.f32("dy", dy, x.Len), c.f32("x", x, x.Len)
	ws, rs := c.f32("w", w, width), c.f32("rstd", rstd, rows)
	if !passed(c, rowShape{rows, width}) {
		return
	}
	sums := d.shared.floats(slotParts, maxParts*width)
	d.ops.rmsNormGrad = rmsNormGrad{d.set, partStep(rows), dxs, dys, xs, ws, rs, sums}
	parts, _ := d.parts(rows, &d.ops.rmsNormGrad)
	d.addParts(dws, sums, parts)
}
