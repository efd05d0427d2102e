package cpu

import "github.com/carebot-llm/carebot/accelerators"

// An argument is a buffer with its name in the operation's signature.
type argument struct {
	name string
	accelerators.Buffer
}

// unary is y = f(x), element by element.
type unary struct {
	f    func(y, x []float32)
	y, x []float32
}

func (o *unary) items(_, lo, hi int) { o.f(o.y[lo:hi], o.x[lo:hi]) }

func (d *Device) unary(op string, weight int, f func(*kernelSet) func(y, x []float32), y, x argument) {
	c := d.call(op)
	c.exact(x.name, x.Buffer, y.Len)
	ys, xs := c.update(y.name, y.Buffer, y.Len), c.f32(x.name, x.Buffer, y.Len)
	if passed(c, y.Len) {
		d.ops.unary = unary{f(d.setFor(ys, blockWork/weight)), ys, xs}
		d.each(len(ys), weight, &d.ops.unary)
	}
}

// binary is z = f(x, y), element by element.
type binary struct {
	f       func(z, x, y []float32)
	z, x, y []float32
}

func (o *binary) items(_, lo, hi int) { o.f(o.z[lo:hi], o.x[lo:hi], o.y[lo:hi]) }

func (d *Device) binary(op string, weight int, f func(*kernelSet) func(z, x, y []float32), z, x, y argument) {
	c := d.call(op)
	c.exact(x.name, x.Buffer, z.Len)
	c.exact(y.name, y.Buffer, z.Len)
	zs := c.update(z.name, z.Buffer, z.Len)
	xs, ys := c.f32(x.name, x.Buffer, z.Len), c.f32(y.name, y.Buffer, z.Len)
	if passed(c, z.Len) {
		d.ops.binary = binary{f(d.setFor(zs, blockWork/weight)), zs, xs, ys}
		d.each(len(zs), weight, &d.ops.binary)
	}
}

// Add: out = a+b. out may be a or b.
func (d *Device) Add(out, a, b accelerators.Buffer) {
	kernel := func(s *kernelSet) func(z, x, y []float32) { return s.add }
	d.binary("Add", 1, kernel, argument{"out", out}, argument{"a", a}, argument{"b", b})
}

// Mul: out = a*b, element by element. out may be a or b.
func (d *Device) Mul(out, a, b accelerators.Buffer) {
	kernel := func(s *kernelSet) func(z, x, y []float32) { return s.mul }
	d.binary("Mul", 1, kernel, argument{"out", out}, argument{"a", a}, argument{"b", b})
}

type axpy struct {
	set   *kernelSet
	y, x  []float32
	alpha float32
}

func (o *axpy) items(_, lo, hi int) { o.set.axpy(o.y[lo:hi], o.x[lo:hi], o.alpha) }

// Axpy: y += alpha*x. x may be y.
func (d *Device) Axpy(y, x accelerators.Buffer, alpha float32) {
	c := d.call("Axpy")
	c.exact("x", x, y.Len)
	ys, xs := c.update("y", y, y.Len), c.f32("x", x, y.Len)
	if passed(c, y.Len) {
		d.ops.axpy = axpy{d.set, ys, xs, alpha}
		d.each(len(ys), 1, &d.ops.axpy)
	}
}

type scaling struct {
	set   *kernelSet
	x     []float32
	alpha float32
}

func (o *scaling) items(_, lo, hi int) { o.set.scale(o.x[lo:hi], o.alpha) }

// Scale: x *= alpha.
func (d *Device) Scale(x accelerators.Buffer, alpha float32) {
	c := d.call("Scale")
	xs := c.write("x", x, x.Len)
	if passed(c, x.Len) {
		d.ops.scaling = scaling{d.set, xs, alpha}
		d.each(len(xs), 1, &d.ops.scaling)
	}
}

// sums is a sum of products, with the partial sum of each block.
type sums struct {
	set      *kernelSet
	x, y     []float32
	partials []float64
}

func (o *sums) items(_, lo, hi int) { o.partials[lo/blockWork] = o.set.dot64(o.x[lo:hi], o.y[lo:hi]) }

// Dot: out[0] = sum(a*b). Products and sums are float64, in an order that depends on the length and the kernel set
// only.
func (d *Device) Dot(out, a, b accelerators.Buffer) { d.sum("Dot", out, a, b) }

// SquaredNorm: out[0] = sum(x^2), as Dot sums.
func (d *Device) SquaredNorm(out, x accelerators.Buffer) { d.sum("SquaredNorm", out, x, x) }

func (d *Device) sum(op string, out, a, b accelerators.Buffer) {
	c := d.call(op)
	c.exact("b", b, a.Len)
	z, xs, ys := c.write("out", out, 1), c.f32("a", a, a.Len), c.f32("b", b, a.Len)
	if !passed(c, a.Len) {
		return
	}
	o := &d.ops.sums
	o.set, o.x, o.y = d.set, xs, ys
	if blocks := (len(xs) + blockWork - 1) / blockWork; cap(o.partials) < blocks {
		o.partials = make([]float64, blocks)
	}
	o.partials = o.partials[:cap(o.partials)]
	total := 0.0
	for _, s := range o.partials[:d.split(len(xs), blockWork, o)] {
		total += s
	}
	z[0] = float32(total)
}
