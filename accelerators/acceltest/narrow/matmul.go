package narrow

import "github.com/carebot-llm/carebot/accelerators"

// MatMul takes operands of BF16 where it computes in it.
func (d *Device) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) {
	if s.Compute != accelerators.BF16 {
		d.Device.MatMul(c, a, b, s) // which refuses BF16
		return
	}
	d.Device.MatMul(wide(c), wide(a), wide(b), s)
	d.round(c)
}
