package narrow

import "github.com/carebot-llm/carebot/accelerators"

// HeadLoss implements accelerators.Kernels, as all methods here do.
func (d *Device) HeadLoss(nll, lse, hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) {
	if d.computes("HeadLoss", s.Compute, hidden, weight) {
		d.Device.HeadLoss(nll, lse, wide(hidden), wide(weight), targets, logits, s)
	}
}

func (d *Device) HeadLossGrad(
	dhidden, dweight, dnll, hidden, weight, targets, lse, logits accelerators.Buffer, s accelerators.Head,
) {
	if d.computes("HeadLossGrad", s.Compute, dhidden, hidden, weight) {
		d.Device.HeadLossGrad(wide(dhidden), dweight, dnll, wide(hidden), wide(weight), targets, lse, logits, s)
		d.round(dhidden)
	}
}

func (d *Device) HeadLearn(
	nll, dhidden, dweight, dnll, hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head,
) {
	if d.computes("HeadLearn", s.Compute, dhidden, hidden, weight) {
		d.Device.HeadLearn(nll, wide(dhidden), dweight, dnll, wide(hidden), wide(weight), targets, logits, s)
		d.round(dhidden)
	}
}
