package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

type layerNorm struct {
	set           *kernelSet
	eps           float32
	y, mean, rstd []float32
	x, w, b       []float32
}

func (o *layerNorm) items(_, lo, hi int) {
	width := len(o.w)
	for t := lo; t < hi; t++ {
		x := row(o.x, t, width)
		o.mean[t], o.rstd[t] = moments(o.set, x, o.eps)
		o.set.layerNorm(row(o.y, t, width), x, o.w, o.b, o.mean[t], o.rstd[t])
	}
}

// moments is the mean of x and one over its standard deviation.
func moments(set *kernelSet, x []float32, eps float32) (mean, rstd float32) {
	mean = set.sum(x) / float32(len(x))
	if sum := set.squares(x, mean); held(sum, eps) {
		return mean, reciprocalRoot(float64(sum), len(x), eps)
	}
	return moments64(x, eps)
}

// moments64 is moments in float64, for rows whose sums float32 does not hold.
func moments64(x []float32, eps float32) (mean, rstd float32) {
	n, sum, squares := float64(len(x)), 0.0, 0.0
	for _, v := range x {
		sum += float64(v)
	}
	mean = float32(sum / n)
	for _, v := range x {
		squares += (float64(v) - float64(mean)) * (float64(v) - float64(mean))
	}
	if math.IsInf(float64(mean), 0) {
		squares = math.NaN()
	}
	return mean, reciprocalRoot(squares, len(x), eps)
}

// LayerNorm: y = (x-mean)*rstd*w + b. y may be x. For finite x of any size and rows of up to 8192 elements, rstd is
// within 8 units in the last place of the exact one, mean within 8 of the root mean square of x, and y within 8 of the
// larger of b and w times the root mean square of x times rstd.
func (d *Device) LayerNorm(y, mean, rstd, x, w, b accelerators.Buffer, width int, eps float32) {
	c := d.call("LayerNorm")
	rows := c.rows("x", x, width)
	xs, ys := c.f32("x", x, x.Len), c.update("y", y, x.Len)
	means, rs := c.write("mean", mean, rows), c.write("rstd", rstd, rows)
	ws, bs := c.f32("w", w, width), c.f32("b", b, width)
	if passed(c, rowShape{rows, width}) {
		d.ops.layerNorm = layerNorm{d.setFor(ys, width), eps, ys, means, rs, xs, ws, bs}
		d.each(rows, 3*width, &d.ops.layerNorm)
	}
}

// layerNormGrad has two rows of sums, for the weight's gradient and the bias's, for each part of the rows.
type layerNormGrad struct {
	set            *kernelSet
	step           int
	dx, dy, x      []float32
	w, mean, rstd  []float32
	wParts, bParts []float32
}

func (o *layerNormGrad) items(_, lo, hi int) {
	width, part := len(o.w), lo/o.step
	dw, db := row(o.wParts, part, width), row(o.bParts, part, width)
	clear(dw)
	clear(db)
	for t := lo; t < hi; t++ {
		dx, dy, x := row(o.dx, t, width), row(o.dy, t, width), row(o.x, t, width)
		sum, inner := o.set.centredSums(x, dy, o.w, o.mean[t])
		n, r := float32(width), o.rstd[t]
		o.set.layerNormGrad(dx, dw, db, dy, x, o.w, o.mean[t], r, sum/n, r*inner/n)
	}
}

// LayerNormGrad: with h = (x-mean)*rstd and g = dy*w, dx += rstd*(g - mean(g) - h*mean(g*h)), dw += dy*h and db += dy,
// the latter two summed over the rows in an order that depends on their number only.
func (d *Device) LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd accelerators.Buffer, width int) {
	c := d.call("LayerNormGrad")
	rows := c.rows("x", x, width)
	dxs, dws, dbs := c.write("dx", dx, x.Len), c.write("dw", dw, width), c.write("db", db, width)
	dys, xs, ws := c.f32("dy", dy, x.Len), c.f32("x", x, x.Len), c.f32("w", w, width)
	means, rs := c.f32("mean", mean, rows), c.f32("rstd", rstd, rows)
	if !passed(c, rowShape{rows, width}) {
		return
	}
	sums := d.shared.floats(slotParts, 2*maxParts*width)
	sumw, sumb := sums[:maxParts*width], sums[maxParts*width:]
	d.ops.layerNormGrad = layerNormGrad{d.set, partStep(rows), dxs, dys, xs, ws, means, rs, sumw, sumb}
	parts, _ := d.parts(rows, &d.ops.layerNormGrad)
	d.addParts(dws, sumw, parts)
	d.addParts(dbs, sumb, parts)
}
