package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// RMSNorm: y = x * rstd * w.
func (d *Device) RMSNorm(y, rstd, x, w accelerators.Buffer, width int, eps float32) {
	c := d.call("RMSNorm")
	rows := c.rows("x", x, width)
	xs, ys := c.f32("x", x, x.Len), c.f32("y", y, x.Len)
	rs, ws := c.f32("rstd", rstd, rows), c.f32("w", w, width)
	if !c.ok(rowShape{rows, width}) {
		return
	}
	d.eachFunc(rows, 2*width, func(_, lo, hi int) {
		for t := lo; t < hi; t++ {
			from, to := xs[t*width:(t+1)*width], ys[t*width:(t+1)*width]
			r := 1 / float32(math.Sqrt(float64(d.set.dot(from, from)/float32(width)+eps)))
			rs[t] = r
			d.set.scaleMul(to, from, ws, r)
		}
	})
}

// RMSNormGrad: dx += ..., dw += ....
func (d *Device) RMSNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, width int) {
	c := d.call("RMSNormGrad")
	rows := c.rows("x", x, width)
	dxs, dws := c.f32("dx", dx, x.Len), c.f32("dw", dw, width)
	dys, xs := c.f32("dy", dy, x.Len), c.f32("x", x, x.Len)
	ws, rs := c.f32("w", w, width), c.f32("rstd", rstd, rows)
	if !c.ok(rowShape{rows, width}) {
		return
	}
	sums := d.shared.floats(slotParts, maxParts*width)
	clear(sums)
	parts := d.partsFunc(rows, func(_, part, lo, hi int) {
		sum := sums[part*width : (part+1)*width]
		for t := lo; t < hi; t++ {
			from, to := t*width, (t+1)*width
			rmsNormGradRow(d.set, dxs[from:to], sum, dys[from:to], xs[from:to], ws, rs[t])
		}
	})
	d.addParts(dws, sums, parts)
}

// rmsNormGradRow: with h = x*r, dx += r*(dy*w - h*mean(dy*w*h)), dw += dy*h.
func rmsNormGradRow(set *kernelSet, dx, dw, dy, x, w []float32, r float32) {
	q := r * r * r * set.dot3(x, dy, w) / float32(len(x))
	set.rmsNormGrad(dx, dw, dy, x, w, r, q)
}

// addParts adds the partial sums to to, in order.
func (d *Device) addParts(to, sums []float32, parts int) {
	n := len(to)
	for p := range parts {
		d.set.axpy(to, sums[p*n:(p+1)*n], 1)
	}
}

// LayerNorm: y = (x-mean)*rstd*w + b.
func (d *Device) LayerNorm(y, mean, rstd, x, w, b accelerators.Buffer, width int, eps float32) {
	c := d.call("LayerNorm")
	rows := c.rows("x", x, width)
	xs, ys := c.f32("x", x, x.Len), c.f32("y", y, x.Len)
	means, rs := c.f32("mean", mean, rows), c.f32("rstd", rstd, rows)
	ws, bs := c.f32("w", w, width), c.f32("b", b, width)
	if !c.ok(rowShape{rows, width}) {
		return
	}
	d.eachFunc(rows, 3*width, func(_, lo, hi int) {
		for t := lo; t < hi; t++ {
			from, to := xs[t*width:(t+1)*width], ys[t*width:(t+1)*width]
			means[t], rs[t] = moments(d.set, from, eps)
			d.set.layerNorm(to, from, ws, bs, means[t], rs[t])
		}
	})
}

// moments is the mean of x and one over its standard deviation.
func moments(set *kernelSet, x []float32, eps float32) (mean, rstd float32) {
	n := float32(len(x))
	mean = set.sum(x) / n
	return mean, 1 / float32(math.Sqrt(float64(set.squares(x, mean)/n+eps)))
}

// LayerNormGrad: dx += ..., dw += ..., db += ....
func (d *Device) LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd accelerators.Buffer, width int) {
	c := d.call("LayerNormGrad")
	rows := c.rows("x", x, width)
	dxs, dws, dbs := c.f32("dx", dx, x.Len), c.f32("dw", dw, width), c.f32("db", db, width)
	dys, xs, ws := c.f32("dy", dy, x.Len), c.f32("x", x, x.Len), c.f32("w", w, width)
	means, rs := c.f32("mean", mean, rows), c.f32("rstd", rstd, rows)
	if !c.ok(rowShape{rows, width}) {
		return
	}
	sums := d.shared.floats(slotParts, 2*maxParts*width)
	clear(sums)
	sumw, sumb := sums[:maxParts*width], sums[maxParts*width:]
	parts := d.partsFunc(rows, func(_, part, lo, hi int) {
		sw, sb := sumw[part*width:(part+1)*width], sumb[part*width:(part+1)*width]
		for t := lo; t < hi; t++ {
			from, to := t*width, (t+1)*width
			layerNormGradRow(d.set, dxs[from:to], sw, sb, dys[from:to], xs[from:to], ws, means[t], rs[t])
		}
	})
	d.addParts(dws, sumw, parts)
	d.addParts(dbs, sumb, parts)
}

// layerNormGradRow: with h = (x-mean)*r and g = dy*w, dx += r*(g - mean(g) - h*mean(g*h)), dw += dy*h, db += dy.
func layerNormGradRow(set *kernelSet, dx, dw, db, dy, x, w []float32, mean, r float32) {
	n := float32(len(dx))
	sum, inner := set.dot(dy, w)/n, r*set.centredDot(x, dy, w, mean)/n
	set.layerNormGrad(dx, dw, db, dy, x, w, mean, r, sum, inner)
}
