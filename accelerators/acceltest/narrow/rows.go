package narrow

import "github.com/carebot-llm/carebot/accelerators"

// Gather implements accelerators.Kernels, as all methods here do.
func (d *Device) Gather(out, x, rows accelerators.Buffer, width int) {
	if d.alike("Gather", out, x) {
		d.Device.Gather(wide(out), wide(x), rows, width)
		d.round(out)
	}
}

func (d *Device) GatherGrad(dx, dout, rows accelerators.Buffer, width int) {
	if d.alike("GatherGrad", dx, dout) {
		d.Device.GatherGrad(wide(dx), wide(dout), rows, width)
		d.round(dx)
	}
}

func (d *Device) AddBias(y, bias accelerators.Buffer, width int) {
	d.Device.AddBias(wide(y), bias, width)
	d.round(y)
}

func (d *Device) BiasGrad(dbias, dy accelerators.Buffer, width int) {
	d.Device.BiasGrad(dbias, wide(dy), width)
}

func (d *Device) UnpackNF4(out, packed accelerators.Buffer, of, from int) {
	d.Device.UnpackNF4(wide(out), packed, of, from)
	d.round(out)
}
