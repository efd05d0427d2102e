package narrow

import "github.com/carebot-llm/carebot/accelerators"

// RMSNorm implements accelerators.Kernels, as all methods here do.
func (d *Device) RMSNorm(y, rstd, x, w accelerators.Buffer, width int, eps float32) {
	if d.alike("RMSNorm", y, x) {
		d.Device.RMSNorm(wide(y), rstd, wide(x), w, width, eps)
		d.round(y)
	}
}

func (d *Device) RMSNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, width int) {
	if d.alike("RMSNormGrad", dx, dy, x) {
		d.Device.RMSNormGrad(wide(dx), dw, wide(dy), wide(x), w, rstd, width)
		d.round(dx)
	}
}

func (d *Device) HeadNorm(y, rstd, x, w accelerators.Buffer, s accelerators.HeadNorm) {
	if d.alike("HeadNorm", y, x) {
		d.Device.HeadNorm(wide(y), rstd, wide(x), w, s)
		d.round(y)
	}
}

func (d *Device) HeadNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, s accelerators.HeadNorm) {
	if d.alike("HeadNormGrad", dx, dy, x) {
		d.Device.HeadNormGrad(wide(dx), dw, wide(dy), wide(x), w, rstd, s)
		d.round(dx)
	}
}

func (d *Device) LayerNorm(y, mean, rstd, x, w, b accelerators.Buffer, width int, eps float32) {
	if d.alike("LayerNorm", y, x) {
		d.Device.LayerNorm(wide(y), mean, rstd, wide(x), w, b, width, eps)
		d.round(y)
	}
}

func (d *Device) LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd accelerators.Buffer, width int) {
	if d.alike("LayerNormGrad", dx, dy, x) {
		d.Device.LayerNormGrad(wide(dx), dw, db, wide(dy), wide(x), w, mean, rstd, width)
		d.round(dx)
	}
}
