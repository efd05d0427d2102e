//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

const (
	reduceOwn    = 16   // elements that a thread has at a time
	reduceBlocks = 1024 // at most; a constant, so that the order of a sum is the same on all devices
)

// Dot: out[0] = sum(a*b), in float64.
func (d *Device) Dot(out, a, b accelerators.Buffer) {
	c := d.call("Dot")
	n := a.Len
	c.exact("b", b, n)
	to, x, y := c.writeF32("out", out, 1), c.f32("a", a, n), c.f32("b", b, n)
	if passed(c, n) {
		d.reduce("dot_parts", to, n, x, y)
	}
}

// SquaredNorm: out[0] = sum(x^2), in float64.
func (d *Device) SquaredNorm(out, x accelerators.Buffer) {
	c := d.call("SquaredNorm")
	to, from := c.writeF32("out", out, 1), c.f32("x", x, x.Len)
	if passed(c, x.Len) {
		d.reduce("squares_parts", to, x.Len, from)
	}
}

func (d *Device) reduce(kernel string, to uint64, n int, operands ...uint64) {
	first := tiles(n, reduceOwn)
	first.X = max(1, min(first.X, reduceBlocks))
	parts := d.scratch(slotSums, 8*reduceBlocks)
	d.launch("reduce", kernel, first, append(append([]uint64{parts}, operands...), uint64(n))...)
	second := first
	second.X = 1
	d.launch("reduce", "sum_parts", second, to, parts, uint64(first.X))
}
