//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// rowShape is the shape of what is done row by row.
type rowShape struct{ Rows, Width int }

const (
	biasColumns = 256 // of a block
	biasThreads = 256
	biasWarps   = biasThreads / 32
)

// AddBias: y[t,:] += bias.
func (d *Device) AddBias(y, bias accelerators.Buffer, width int) {
	c := d.call("AddBias")
	rows := c.rows("y", y, width)
	c.counted("width", width)
	ys, bs := c.write("y", y, y.Len), c.f32("bias", bias, width)
	if passed(c, rowShape{rows, width}) {
		const most = 1 << 10 // rows of blocks
		s := shape{blocks(width, biasColumns), min(blocks(rows, 2*biasWarps), most), 1, biasThreads, 0}
		d.launch("bias", c.variant("bias_add"), s, ys, bs, uint64(rows), uint64(width))
	}
}

// BiasGrad: dbias += column sums of dy, in an order that depends on the number of rows only.
func (d *Device) BiasGrad(dbias, dy accelerators.Buffer, width int) {
	c := d.call("BiasGrad")
	rows := c.rows("dy", dy, width)
	c.counted("width", width)
	to, from := c.writeF32("dbias", dbias, width), c.read("dy", dy, dy.Len)
	if !passed(c, rowShape{rows, width}) || rows == 0 {
		return
	}
	const mostParts, leastStep = 32, 64
	step := max(blocks(rows, mostParts), leastStep)
	parts := blocks(rows, step)
	sums := d.scratch(slotSums, 4*parts*width)
	s := shape{blocks(width, biasColumns), parts, 1, biasThreads, 0}
	d.launch("bias", c.variant("bias_grad"), s, sums, from, uint64(rows), uint64(width), uint64(step))
	d.launch("bias", "bias_sum", shape{blocks(width, 128), 1, 1, 128, 0}, to, sums, uint64(parts), uint64(width))
}
