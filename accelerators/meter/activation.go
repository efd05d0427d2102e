package meter

import "github.com/carebot-llm/carebot/accelerators"

// SwiGLU is measured.
func (d *Device) SwiGLU(y, x accelerators.Buffer, inner int) {
	start := d.Elapsed()
	d.Device.SwiGLU(y, x, inner)
	d.note("SwiGLU", start, rows(inner, y, x))
}

// SwiGLUGrad is measured.
func (d *Device) SwiGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	start := d.Elapsed()
	d.Device.SwiGLUGrad(dx, dy, x, inner)
	d.note("SwiGLUGrad", start, rows(inner, dy, dx, x))
}

// GeGLU is measured.
func (d *Device) GeGLU(y, x accelerators.Buffer, inner int) {
	start := d.Elapsed()
	d.Device.GeGLU(y, x, inner)
	d.note("GeGLU", start, rows(inner, y, x))
}

// GeGLUGrad is measured.
func (d *Device) GeGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	start := d.Elapsed()
	d.Device.GeGLUGrad(dx, dy, x, inner)
	d.note("GeGLUGrad", start, rows(inner, dy, dx, x))
}

// GELU is measured.
func (d *Device) GELU(y, x accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.GELU(y, x)
	d.note("GELU", start, elements(y, x))
}

// GELUGrad is measured.
func (d *Device) GELUGrad(dx, dy, x accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.GELUGrad(dx, dy, x)
	d.note("GELUGrad", start, elements(dx, dy, x))
}

// GELUTanh is measured.
func (d *Device) GELUTanh(y, x accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.GELUTanh(y, x)
	d.note("GELUTanh", start, elements(y, x))
}

// GELUTanhGrad is measured.
func (d *Device) GELUTanhGrad(dx, dy, x accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.GELUTanhGrad(dx, dy, x)
	d.note("GELUTanhGrad", start, elements(dx, dy, x))
}

// Tanh is measured.
func (d *Device) Tanh(y, x accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.Tanh(y, x)
	d.note("Tanh", start, elements(y, x))
}

// TanhGrad is measured.
func (d *Device) TanhGrad(dx, dy, y accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.TanhGrad(dx, dy, y)
	d.note("TanhGrad", start, elements(dx, dy, y))
}
