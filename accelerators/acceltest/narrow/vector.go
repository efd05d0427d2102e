package narrow

import "github.com/carebot-llm/carebot/accelerators"

// Add implements accelerators.Kernels, as all methods here do.
func (d *Device) Add(out, a, b accelerators.Buffer) {
	if d.alike("Add", out, a, b) {
		d.Device.Add(wide(out), wide(a), wide(b))
		d.round(out)
	}
}

func (d *Device) Mul(out, a, b accelerators.Buffer) {
	if d.alike("Mul", out, a, b) {
		d.Device.Mul(wide(out), wide(a), wide(b))
		d.round(out)
	}
}

func (d *Device) Axpy(y, x accelerators.Buffer, alpha float32) {
	if d.alike("Axpy", y, x) {
		d.Device.Axpy(wide(y), wide(x), alpha)
		d.round(y)
	}
}

func (d *Device) Scale(x accelerators.Buffer, alpha float32) {
	d.Device.Scale(wide(x), alpha)
	d.round(x)
}
