package narrow

import "github.com/carebot-llm/carebot/accelerators"

// RoPE implements accelerators.Kernels, as all methods here do.
func (d *Device) RoPE(x, cos, sin, positions accelerators.Buffer, s accelerators.RoPE) {
	d.Device.RoPE(wide(x), cos, sin, positions, s)
	d.round(x)
}

func (d *Device) Attention(out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	if d.computes("Attention", s.Compute, out, q, k, v) {
		d.Device.Attention(wide(out), lse, wide(q), wide(k), wide(v), s)
		d.round(out)
	}
}

func (d *Device) AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	if d.computes("AttentionGrad", s.Compute, dq, dk, dv, dout, out, q, k, v) {
		d.Device.AttentionGrad(wide(dq), wide(dk), wide(dv), wide(dout), wide(out), lse, wide(q), wide(k), wide(v), s)
		d.round(dq, dk, dv)
	}
}

func (d *Device) AttentionDecode(out, q, cache accelerators.Buffer, s accelerators.AttentionDecode) {
	if d.alike("AttentionDecode", out, q, cache) {
		d.Device.AttentionDecode(wide(out), wide(q), wide(cache), s)
		d.round(out)
	}
}
