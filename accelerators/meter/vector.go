package meter

import "github.com/carebot-llm/carebot/accelerators"

// Axpy is measured.
func (d *Device) Axpy(y, x accelerators.Buffer, alpha float32) {
	start := d.Elapsed()
	d.Device.Axpy(y, x, alpha)
	d.note("Axpy", start, elements(y, y, x))
}

// Scale is measured.
func (d *Device) Scale(x accelerators.Buffer, alpha float32) {
	start := d.Elapsed()
	d.Device.Scale(x, alpha)
	d.note("Scale", start, elements(x, x))
}

// Add is measured.
func (d *Device) Add(out, a, b accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.Add(out, a, b)
	d.note("Add", start, elements(out, a, b))
}

// Mul is measured.
func (d *Device) Mul(out, a, b accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.Mul(out, a, b)
	d.note("Mul", start, elements(out, a, b))
}

// Dot is measured.
func (d *Device) Dot(out, a, b accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.Dot(out, a, b)
	d.note("Dot", start, elements(a, b))
}

// SquaredNorm is measured.
func (d *Device) SquaredNorm(out, x accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.SquaredNorm(out, x)
	d.note("SquaredNorm", start, elements(x))
}
