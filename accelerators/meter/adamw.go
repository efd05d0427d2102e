package meter

import "github.com/carebot-llm/carebot/accelerators"

// AdamW is measured: four operands read, three of them written.
func (d *Device) AdamW(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	start := d.Elapsed()
	d.Device.AdamW(param, grad, m, v, s)
	d.note("AdamW", start, elements(param, param, grad, m, m, v, v))
}
