package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// expWork is the work of one element of an activation, in elements passed over.
const expWork = 4

// SwiGLU: y[t,f] = silu(x[t,f]) * x[t,F+f].
func (d *Device) SwiGLU(y, x accelerators.Buffer, inner int) {
	c := d.call("SwiGLU")
	rows := c.rows("y", y, inner)
	ys, xs := c.f32("y", y, y.Len), c.f32("x", x, c.size(2, y.Len))
	if !c.ok(rowShape{rows, inner}) {
		return
	}
	d.eachFunc(rows, inner*expWork, func(_, lo, hi int) {
		for t := lo; t < hi; t++ {
			gate, up := halves(xs, t, inner)
			d.set.swiglu(ys[t*inner:(t+1)*inner], gate, up)
		}
	})
}

// SwiGLUGrad overwrites dx, which may be x.
func (d *Device) SwiGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	c := d.call("SwiGLUGrad")
	rows := c.rows("dy", dy, inner)
	dys := c.f32("dy", dy, dy.Len)
	dxs, xs := c.f32("dx", dx, c.size(2, dy.Len)), c.f32("x", x, c.size(2, dy.Len))
	if !c.ok(rowShape{rows, inner}) {
		return
	}
	d.eachFunc(rows, inner*expWork, func(_, lo, hi int) {
		for t := lo; t < hi; t++ {
			dgate, dup := halves(dxs, t, inner)
			gate, up := halves(xs, t, inner)
			d.set.swigluGrad(dgate, dup, dys[t*inner:(t+1)*inner], gate, up)
		}
	})
}

func halves(x []float32, row, inner int) (gate, up []float32) {
	x = x[2*row*inner : 2*(row+1)*inner]
	return x[:inner:inner], x[inner:]
}

// GELU: y = x/2 (1+erf(x/sqrt 2)).
func (d *Device) GELU(y, x accelerators.Buffer) {
	d.unary("GELU", y, x, expWork, d.set.gelu)
}

// GELUGrad overwrites dx.
func (d *Device) GELUGrad(dx, dy, x accelerators.Buffer) {
	d.unaryGrad("GELUGrad", dx, dy, x, expWork, d.set.geluGrad)
}

// Tanh: y = tanh(x). Only heads use it, so it is not made fast.
func (d *Device) Tanh(y, x accelerators.Buffer) {
	d.unary("Tanh", y, x, 8*expWork, func(y, x []float32) {
		for i, v := range x {
			y[i] = float32(math.Tanh(float64(v)))
		}
	})
}

// TanhGrad overwrites dx from the output y.
func (d *Device) TanhGrad(dx, dy, y accelerators.Buffer) {
	d.unaryGrad("TanhGrad", dx, dy, y, 1, func(dx, dy, y []float32) {
		for i, v := range y {
			dx[i] = dy[i] * (1 - v*v)
		}
	})
}

func (d *Device) unary(op string, y, x accelerators.Buffer, weight int, f func(y, x []float32)) {
	c := d.call(op)
	c.exact("x", x, y.Len)
	ys, xs := c.f32("y", y, y.Len), c.f32("x", x, y.Len)
	if c.ok(y.Len) {
		d.eachFunc(len(ys), weight, func(_, lo, hi int) { f(ys[lo:hi], xs[lo:hi]) })
	}
}

func (d *Device) unaryGrad(op string, dx, dy, x accelerators.Buffer, weight int, f func(dx, dy, x []float32)) {
	c := d.call(op)
	c.exact("dy", dy, dx.Len)
	c.exact("x", x, dx.Len)
	dxs, dys, xs := c.f32("dx", dx, dx.Len), c.f32("dy", dy, dx.Len), c.f32("x", x, dx.Len)
	if c.ok(dx.Len) {
		d.eachFunc(len(dxs), weight, func(_, lo, hi int) { f(dxs[lo:hi], dys[lo:hi], xs[lo:hi]) })
	}
}
