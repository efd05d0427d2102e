package cpu

import "github.com/carebot-llm/carebot/accelerators"

// Axpy: y += alpha*x.
func (d *Device) Axpy(y, x accelerators.Buffer, alpha float32) {
	c := d.call("Axpy")
	c.exact("x", x, y.Len)
	ys, xs := c.f32("y", y, y.Len), c.f32("x", x, y.Len)
	if c.ok(y.Len) {
		d.eachFunc(len(ys), 1, func(_, lo, hi int) { d.set.axpy(ys[lo:hi], xs[lo:hi], alpha) })
	}
}

// Scale: x *= alpha.
func (d *Device) Scale(x accelerators.Buffer, alpha float32) {
	c := d.call("Scale")
	xs := c.f32("x", x, x.Len)
	if c.ok(x.Len) {
		d.eachFunc(len(xs), 1, func(_, lo, hi int) { d.set.scale(xs[lo:hi], alpha) })
	}
}

// Add: out = a+b. out may be a or b.
func (d *Device) Add(out, a, b accelerators.Buffer) {
	d.binary("Add", out, a, b, d.set.add)
}

// Mul: out = a*b, element by element. out may be a or b.
func (d *Device) Mul(out, a, b accelerators.Buffer) {
	d.binary("Mul", out, a, b, func(z, x, y []float32) {
		for i := range z {
			z[i] = x[i] * y[i]
		}
	})
}

func (d *Device) binary(op string, out, a, b accelerators.Buffer, f func(z, x, y []float32)) {
	c := d.call(op)
	c.exact("a", a, out.Len)
	c.exact("b", b, out.Len)
	zs, xs, ys := c.f32("out", out, out.Len), c.f32("a", a, out.Len), c.f32("b", b, out.Len)
	if c.ok(out.Len) {
		d.eachFunc(len(zs), 1, func(_, lo, hi int) { f(zs[lo:hi], xs[lo:hi:hi], ys[lo:hi:hi]) })
	}
}

// Dot: out[0] = sum(a*b), summed in float64.
func (d *Device) Dot(out, a, b accelerators.Buffer) { d.sum("Dot", out, a, b) }

// SquaredNorm: out[0] = sum(x^2), summed in float64.
func (d *Device) SquaredNorm(out, x accelerators.Buffer) { d.sum("SquaredNorm", out, x, x) }

func (d *Device) sum(op string, out, a, b accelerators.Buffer) {
	c := d.call(op)
	c.exact("b", b, a.Len)
	z, xs, ys := c.f32("out", out, 1), c.f32("a", a, a.Len), c.f32("b", b, a.Len)
	if !c.ok(a.Len) {
		return
	}
	sums := make([]float64, (len(xs)+blockWork-1)/blockWork)
	d.eachFunc(len(xs), 1, func(_, lo, hi int) { sums[lo/blockWork] = dot64(xs[lo:hi], ys[lo:hi]) })
	total := 0.0
	for _, s := range sums {
		total += s
	}
	z[0] = float32(total)
}

func dot64(x, y []float32) float64 {
	var s0, s1, s2, s3 float64
	y = y[:len(x)]
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += float64(x[i]) * float64(y[i])
		s1 += float64(x[i+1]) * float64(y[i+1])
		s2 += float64(x[i+2]) * float64(y[i+2])
		s3 += float64(x[i+3]) * float64(y[i+3])
	}
	for ; i < len(x); i++ {
		s0 += float64(x[i]) * float64(y[i])
	}
	return (s0 + s1) + (s2 + s3)
}
