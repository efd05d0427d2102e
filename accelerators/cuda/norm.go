//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// normRows is how many whole rows x has.
func (c *call) normRows(x accelerators.Buffer, width int) int {
	rows := c.rows("x", x, width)
	c.counted("the number of rows", rows)
	c.counted("width", width)
	return rows
}

// forwardNorm is the shape of a norm's kernel, which does one row by each team, and the size of the teams.
func forwardNorm(rows, width int) (s shape, size int) {
	const enough, most = 256, 512
	size = team(width, most)
	teams := max(1, enough/size)
	return shape{blocks(rows, teams), 1, 1, size * teams, 0}, size
}

// RMSNorm: y = x * rstd * w. y may be x.
func (d *Device) RMSNorm(y, rstd, x, w accelerators.Buffer, width int, eps float32) {
	c := d.call("RMSNorm")
	rows := c.normRows(x, width)
	xs, ys := c.read("x", x, x.Len), c.update("y", y, x.Len)
	rs, ws := c.writeF32("rstd", rstd, rows), c.f32("w", w, width)
	if passed(c, rowShape{rows, width}) {
		s, size := forwardNorm(rows, width)
		d.launch("norm", c.variant("rms_norm"), s, ys, rs, xs, ws, uint64(rows), 1, uint64(width), uint64(width),
			uint64(size), f32(eps))
	}
}

// RMSNormGrad: with h = x*rstd, dx += rstd*(dy*w - h*mean(dy*w*h)) and dw += dy*h, summed over the rows in an order
// that depends on their number and width only.
func (d *Device) RMSNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, width int) {
	c := d.call("RMSNormGrad")
	rows := c.normRows(x, width)
	dxs, dws := c.write("dx", dx, x.Len), c.writeF32("dw", dw, width)
	dys, xs := c.read("dy", dy, x.Len), c.read("x", x, x.Len)
	ws, rs := c.f32("w", w, width), c.f32("rstd", rstd, rows)
	if passed(c, rowShape{rows, width}) {
		cut := cutRows(rows, width, c.gradientBlocks())
		parts := d.scratch(slotSums, cut.bytes(width))
		d.launch("norm", c.variant("rms_norm_grad"), cut.shape(width), dxs, parts, dys, xs, ws, rs, uint64(rows), 1,
			uint64(width), uint64(width), uint64(cut.size), uint64(cut.run), 1)
		d.addParts(dws, parts, cut.parts, width)
	}
}

// gradientBlocks is how many blocks of RMSNorm's gradient a multiprocessor has at once, bound by their registers.
func (c *call) gradientBlocks() int {
	if c.kind == accelerators.BF16 {
		return 3
	}
	return 2
}

// A rowCut shares the rows of a gradient out: run rows to a block, in which teams of size threads have one at a time.
type rowCut struct{ size, teams, run, parts int }

// cutRows makes as many parts as an H200 has blocks at once, so that all of them end together. Other GPUs cut the same
// way, and so have the same sums.
func cutRows(rows, width, perMultiprocessor int) rowCut {
	const threads, multiprocessors = 256, 132
	size := team(width, threads)
	teams := threads / size
	run := teams * max(1, blocks(blocks(rows, multiprocessors*perMultiprocessor), teams))
	return rowCut{size, teams, run, blocks(rows, run)}
}

func (c rowCut) bytes(width int) int { return 4 * c.parts * width }

// shape has shared memory for the sums of each team, where a block has several.
func (c rowCut) shape(width int) shape {
	s := shape{c.parts, 1, 1, c.size * c.teams, 0}
	if c.teams > 1 {
		s.Shared = 4 * c.teams * width
	}
	return s
}

// addParts adds rows of partial sums to out, in a fixed order.
func (d *Device) addParts(out, parts uint64, count, width int) {
	const columns, threads = 32, 512
	s := shape{blocks(width, columns), 1, 1, threads, 0}
	d.launch("norm", "add_parts", s, out, parts, uint64(count), uint64(width))
}
