package meter

import "github.com/carebot-llm/carebot/accelerators"

// AddBias is measured.
func (d *Device) AddBias(y, bias accelerators.Buffer, width int) {
	start := d.Elapsed()
	d.Device.AddBias(y, bias, width)
	d.note("AddBias", start, rows(width, y, y, bias))
}

// BiasGrad is measured.
func (d *Device) BiasGrad(dbias, dy accelerators.Buffer, width int) {
	start := d.Elapsed()
	d.Device.BiasGrad(dbias, dy, width)
	d.note("BiasGrad", start, rows(width, dy, dbias, dbias))
}
