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

// rowShape is what operations over rows say of themselves in an error.
type rowShape struct{ Rows, Width int }

type gather struct {
	width      int
	out, table []float32
	ids        []int32
}

func (o *gather) items(_, lo, hi int) {
	for i := lo; i < hi; i++ {
		copy(row(o.out, i, o.width), row(o.table, int(o.ids[i]), o.width))
	}
}

func (d *Device) gather(op string, out, table, ids accelerators.Buffer, width int) {
	c := d.call(op)
	n := ids.Len
	rows := c.rows("table", table, width)
	to, from := c.write("out", out, c.size(n, width)), c.f32("table", table, table.Len)
	at := c.ids("ids", ids, n, 0, rows)
	if passed(c, rowShape{n, width}) {
		d.ops.gather = gather{width, to, from, at}
		d.each(n, width, &d.ops.gather)
	}
}

// scatter adds rows to a table, column by column in order of the rows.
type scatter struct {
	set         *kernelSet
	width       int
	table, dout []float32
	ids         []int32
}

func (o *scatter) items(_, lo, hi int) {
	for i, id := range o.ids {
		o.set.axpy(row(o.table, int(id), o.width)[lo:hi], row(o.dout, i, o.width)[lo:hi], 1)
	}
}

func (d *Device) scatterAdd(op string, table, dout, ids accelerators.Buffer, width int) {
	c := d.call(op)
	n := ids.Len
	rows := c.rows("table", table, width)
	to, from := c.write("table", table, table.Len), c.f32("dout", dout, c.size(n, width))
	at := c.ids("ids", ids, n, 0, rows)
	if passed(c, rowShape{n, width}) {
		d.ops.scatter = scatter{d.set, width, to, from, at}
		d.columns(n, width, &d.ops.scatter)
	}
}
