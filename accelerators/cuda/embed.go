//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// Embed: out[t,:] = table[ids[t],:]. The table is F32, or BF16 where out is.
func (d *Device) Embed(out, table, ids accelerators.Buffer, width int) {
	d.gather("Embed", out, table, ids, width, true)
}

// EmbedGrad: dtable[ids[t],:] += dout[t,:], in order of t. dtable is F32.
func (d *Device) EmbedGrad(dtable, dout, ids accelerators.Buffer, width int) {
	d.scatter("EmbedGrad", dtable, dout, ids, width, true)
}

// Gather: out[i,:] = x[rows[i],:].
func (d *Device) Gather(out, x, rows accelerators.Buffer, width int) {
	d.gather("Gather", out, x, rows, width, false)
}

// GatherGrad: dx[rows[i],:] += dout[i,:], in order of i.
func (d *Device) GatherGrad(dx, dout, rows accelerators.Buffer, width int) {
	d.scatter("GatherGrad", dx, dout, rows, width, false)
}

// gather takes rows from a table of out's type, or, where it may be, from one of parameters.
func (d *Device) gather(op string, out, table, ids accelerators.Buffer, width int, parameters bool) {
	c := d.call(op)
	n, rows := ids.Len, c.tableRows(table, ids, width)
	to := c.write("out", out, c.size(n, width))
	kernel, of := "gather", c.read
	if parameters && c.widens(table) {
		kernel, of = "embed", c.f32
	}
	from, at := of("table", table, table.Len), c.ids("ids", ids, n, 0, rows)
	if passed(c, rowShape{n, width}) {
		s, chunks := overRows(n, width)
		d.launch("embed", c.variant(kernel), s, to, from, at, uint64(rows), uint64(width), uint64(chunks))
	}
}

// tableRows is how many rows a table has.
func (c *call) tableRows(table, ids accelerators.Buffer, width int) int {
	rows := c.rows("table", table, width)
	c.counted("the number of ids", ids.Len)
	c.counted("the number of rows", rows)
	c.counted("width", width)
	return rows
}

// widens reports whether a table is of a wider type than the activations.
func (c *call) widens(table accelerators.Buffer) bool {
	return table.Type == accelerators.F32 && c.kind == accelerators.BF16
}

// scatter adds rows to a table of dout's type, or to one of parameters' gradients.
func (d *Device) scatter(op string, table, dout, ids accelerators.Buffer, width int, parameters bool) {
	c := d.call(op)
	n, rows := ids.Len, c.tableRows(table, ids, width)
	from := c.read("dout", dout, c.size(n, width))
	kernel, of := "scatter", c.write
	if parameters && c.kind == accelerators.BF16 {
		kernel, of = "embed_grad", c.writeF32
	}
	to, at := of("table", table, table.Len), c.ids("ids", ids, n, 0, rows)
	if passed(c, rowShape{n, width}) {
		sorted := d.sortIDs(at, n, rows)
		const columns, warps = 32 * piece, 8
		s := shape{blocks(n*blocks(width, columns), warps), 1, 1, 32 * warps, 0}
		d.launch("embed", c.variant(kernel), s, to, from, sorted.ids, sorted.order, uint64(n), uint64(rows),
			uint64(width))
	}
}

// sortedIDs is the addresses of ids in rising order and of their numbers before.
type sortedIDs struct{ ids, order uint64 }

// sortIDs sorts n ids below rows digit by digit; what is no such id becomes rows. Equal ones keep their order.
func (d *Device) sortIDs(ids uint64, n, rows int) sortedIDs {
	const tile, digits, digitBits = 1024, 256, 8
	list, tiles := uint64(4*n), blocks(n, tile)
	memory := d.scratch(slotSort, 4*(4*n+tiles*digits))
	from, to := sortedIDs{ids: ids}, sortedIDs{memory, memory + list}
	other, counts := sortedIDs{memory + 2*list, memory + 3*list}, memory+4*list
	for shift := 0; rows>>shift > 0; shift += digitBits {
		s := shape{tiles, 1, 1, digits, 0}
		d.launch("embed", "count_digits", s, counts, from.ids, uint64(n), uint64(rows), uint64(shift))
		d.launch("embed", "place_digits", s, to.ids, to.order, counts, from.ids, from.order, uint64(n), uint64(rows),
			uint64(shift))
		from, to, other = to, other, to
	}
	return from
}
