package meter

import "github.com/carebot-llm/carebot/accelerators"

// AdamW is measured: four operands read, three of them written.
func (d *Device) AdamW(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	start := d.Elapsed()
	d.Device.AdamW(param, grad, m, v, s)
	d.note("AdamW", start, elements(param, param, grad, m, m, v, v))
}

// AdamWBF16 is measured, as AdamW.
func (d *Device) AdamWBF16(param, grad, m, v accelerators.Buffer, s accelerators.AdamW) {
	start := d.Elapsed()
	d.Device.AdamWBF16(param, grad, m, v, s)
	d.note("AdamWBF16", start, elements(param, param, grad, m, m, v, v))
}

// AdamW8Bit is measured, as AdamW.
func (d *Device) AdamW8Bit(param, grad accelerators.Buffer, m, v accelerators.Dynamic8, s accelerators.AdamW) {
	start := d.Elapsed()
	d.Device.AdamW8Bit(param, grad, m, v, s)
	d.note("AdamW8Bit", start, elements(param, param, grad, m.Codes, m.Codes, m.Scales, m.Scales,
		v.Codes, v.Codes, v.Scales, v.Scales))
}
