package meter

import "github.com/carebot-llm/carebot/accelerators"

// RMSNorm is measured.
func (d *Device) RMSNorm(y, rstd, x, w accelerators.Buffer, width int, eps float32) {
	start := d.Elapsed()
	d.Device.RMSNorm(y, rstd, x, w, width, eps)
	d.note("RMSNorm", start, rows(width, y, rstd, x, w))
}

// RMSNormGrad is measured.
func (d *Device) RMSNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, width int) {
	start := d.Elapsed()
	d.Device.RMSNormGrad(dx, dw, dy, x, w, rstd, width)
	d.note("RMSNormGrad", start, rows(width, dx, dx, dw, dw, dy, x, w, rstd))
}

// LayerNorm is measured.
func (d *Device) LayerNorm(y, mean, rstd, x, w, b accelerators.Buffer, width int, eps float32) {
	start := d.Elapsed()
	d.Device.LayerNorm(y, mean, rstd, x, w, b, width, eps)
	d.note("LayerNorm", start, rows(width, y, mean, rstd, x, w, b))
}

// LayerNormGrad is measured.
func (d *Device) LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd accelerators.Buffer, width int) {
	start := d.Elapsed()
	d.Device.LayerNormGrad(dx, dw, db, dy, x, w, mean, rstd, width)
	d.note("LayerNormGrad", start, rows(width, dx, dx, dw, dw, db, db, dy, x, w, mean, rstd))
}

// HeadNorm is measured.
func (d *Device) HeadNorm(y, rstd, x, w accelerators.Buffer, s accelerators.HeadNorm) {
	start := d.Elapsed()
	d.Device.HeadNorm(y, rstd, x, w, s)
	d.note("HeadNorm", start, heads(x, s, 2))
}

// HeadNormGrad is measured.
func (d *Device) HeadNormGrad(dx, dw, dy, x, w, rstd accelerators.Buffer, s accelerators.HeadNorm) {
	start := d.Elapsed()
	d.Device.HeadNormGrad(dx, dw, dy, x, w, rstd, s)
	d.note("HeadNormGrad", start, heads(x, s, 4))
}

// heads is work on the heads of so many operands like x, beside which weights and statistics are small.
func heads(x accelerators.Buffer, s accelerators.HeadNorm, operands int) work {
	return work{bytes: part(x, operands*s.Tokens*s.Heads*s.Dim), shape: shape{dims: [4]int{s.Tokens, s.Heads, s.Dim}}}
}
