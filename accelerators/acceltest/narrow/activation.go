package narrow

import "github.com/carebot-llm/carebot/accelerators"

// SwiGLU implements accelerators.Kernels, as all methods here do.
func (d *Device) SwiGLU(y, x accelerators.Buffer, inner int) {
	if d.alike("SwiGLU", y, x) {
		d.Device.SwiGLU(wide(y), wide(x), inner)
		d.round(y)
	}
}

func (d *Device) SwiGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	if d.alike("SwiGLUGrad", dx, dy, x) {
		d.Device.SwiGLUGrad(wide(dx), wide(dy), wide(x), inner)
		d.round(dx)
	}
}

func (d *Device) GeGLU(y, x accelerators.Buffer, inner int) {
	if d.alike("GeGLU", y, x) {
		d.Device.GeGLU(wide(y), wide(x), inner)
		d.round(y)
	}
}

func (d *Device) GeGLUGrad(dx, dy, x accelerators.Buffer, inner int) {
	if d.alike("GeGLUGrad", dx, dy, x) {
		d.Device.GeGLUGrad(wide(dx), wide(dy), wide(x), inner)
		d.round(dx)
	}
}

func (d *Device) GELU(y, x accelerators.Buffer) {
	if d.alike("GELU", y, x) {
		d.Device.GELU(wide(y), wide(x))
		d.round(y)
	}
}

func (d *Device) GELUGrad(dx, dy, x accelerators.Buffer) {
	if d.alike("GELUGrad", dx, dy, x) {
		d.Device.GELUGrad(wide(dx), wide(dy), wide(x))
		d.round(dx)
	}
}

func (d *Device) GELUTanh(y, x accelerators.Buffer) {
	if d.alike("GELUTanh", y, x) {
		d.Device.GELUTanh(wide(y), wide(x))
		d.round(y)
	}
}

func (d *Device) GELUTanhGrad(dx, dy, x accelerators.Buffer) {
	if d.alike("GELUTanhGrad", dx, dy, x) {
		d.Device.GELUTanhGrad(wide(dx), wide(dy), wide(x))
		d.round(dx)
	}
}

func (d *Device) Tanh(y, x accelerators.Buffer) {
	if d.alike("Tanh", y, x) {
		d.Device.Tanh(wide(y), wide(x))
		d.round(y)
	}
}

func (d *Device) TanhGrad(dx, dy, y accelerators.Buffer) {
	if d.alike("TanhGrad", dx, dy, y) {
		d.Device.TanhGrad(wide(dx), wide(dy), wide(y))
		d.round(dx)
	}
}
