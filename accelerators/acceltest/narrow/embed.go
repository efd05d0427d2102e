package narrow

import "github.com/carebot-llm/carebot/accelerators"

// Embed takes a table of BF16 where out is.
func (d *Device) Embed(out, table, ids accelerators.Buffer, width int) {
	if table.Type == accelerators.F32 || d.alike("Embed", out, table) {
		d.Device.Embed(wide(out), wide(table), ids, width)
		d.round(out)
	}
}

// EmbedGrad has a table of F32.
func (d *Device) EmbedGrad(dtable, dout, ids accelerators.Buffer, width int) {
	d.Device.EmbedGrad(dtable, wide(dout), ids, width)
}
