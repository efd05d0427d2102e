package cpu

import "github.com/carebot-llm/carebot/accelerators"

// Embed: out[t,:] = table[ids[t],:].
func (d *Device) Embed(out, table, ids accelerators.Buffer, width int) {
	d.gather("Embed", out, table, ids, width)
}

// EmbedGrad: dtable[ids[t],:] += dout[t,:], in order of t.
func (d *Device) EmbedGrad(dtable, dout, ids accelerators.Buffer, width int) {
	d.scatterAdd("EmbedGrad", dtable, dout, ids, width)
}

// Gather: out[i,:] = x[rows[i],:].
func (d *Device) Gather(out, x, rows accelerators.Buffer, width int) {
	d.gather("Gather", out, x, rows, width)
}

// GatherGrad: dx[rows[i],:] += dout[i,:], in order of i.
func (d *Device) GatherGrad(dx, dout, rows accelerators.Buffer, width int) {
	d.scatterAdd("GatherGrad", dx, dout, rows, width)
}

// rowShape is what the four operations say of themselves in an error.
type rowShape struct{ Rows, Width int }

func (d *Device) gather(op string, out, table, ids accelerators.Buffer, width int) {
	c := d.call(op)
	n := ids.Len
	rows := c.rows("table", table, width)
	to, from := c.f32("out", out, c.size(n, width)), c.f32("table", table, table.Len)
	at := c.ids("ids", ids, n, 0, rows)
	if !c.ok(rowShape{n, width}) {
		return
	}
	d.eachFunc(n, width, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(to[i*width:(i+1)*width], from[int(at[i])*width:])
		}
	})
}

// columnStrip is the width of the column blocks that sums over rows are cut into; a few cache lines.
const columnStrip = 64

func (d *Device) scatterAdd(op string, table, from, ids accelerators.Buffer, width int) {
	c := d.call(op)
	n := ids.Len
	rows := c.rows("table", table, width)
	to, src := c.f32("table", table, table.Len), c.f32("dout", from, c.size(n, width))
	at := c.ids("ids", ids, n, 0, rows)
	if !c.ok(rowShape{n, width}) {
		return
	}
	d.columns(n, width, func(lo, hi int) {
		for i, id := range at {
			row := to[int(id)*width+lo : int(id)*width+hi]
			d.set.axpy(row, src[i*width+lo:i*width+hi], 1)
		}
	})
}

// columns runs f over strips of the columns of a matrix, so that sums over its rows need no partial results.
func (d *Device) columns(rows, width int, f func(lo, hi int)) {
	strip := columnStrip
	if rows*width <= blockWork {
		strip = width
	}
	d.runFunc((width+strip-1)/strip, func(_, block int) {
		f(block*strip, min(width, block*strip+strip))
	})
}
