package meter

import "github.com/carebot-llm/carebot/accelerators"

// Embed is measured.
func (d *Device) Embed(out, table, ids accelerators.Buffer, width int) {
	start := d.Elapsed()
	d.Device.Embed(out, table, ids, width)
	d.note("Embed", start, rows(width, out, out, ids))
}

// EmbedGrad is measured.
func (d *Device) EmbedGrad(dtable, dout, ids accelerators.Buffer, width int) {
	start := d.Elapsed()
	d.Device.EmbedGrad(dtable, dout, ids, width)
	d.note("EmbedGrad", start, rows(width, dout, dout, dout, ids))
}

// Gather is measured.
func (d *Device) Gather(out, x, selected accelerators.Buffer, width int) {
	start := d.Elapsed()
	d.Device.Gather(out, x, selected, width)
	d.note("Gather", start, rows(width, out, out, selected))
}

// GatherGrad is measured.
func (d *Device) GatherGrad(dx, dout, selected accelerators.Buffer, width int) {
	start := d.Elapsed()
	d.Device.GatherGrad(dx, dout, selected, width)
	d.note("GatherGrad", start, rows(width, dout, dout, dout, selected))
}
