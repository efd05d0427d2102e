package main

import "github.com/carebot-llm/carebot/accelerators"

// rounded is a device all of whose products take bf16 operands.
type rounded struct{ accelerators.Device }

func (r rounded) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) {
	s.Compute = accelerators.BF16
	r.Device.MatMul(c, a, b, s)
}

func (r rounded) HeadLoss(nll, lse, hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) {
	s.Compute = accelerators.BF16
	r.Device.HeadLoss(nll, lse, hidden, weight, targets, logits, s)
}

func (r rounded) HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits accelerators.Buffer,
	s accelerators.Head) {
	s.Compute = accelerators.BF16
	r.Device.HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits, s)
}

func (r rounded) HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits accelerators.Buffer,
	s accelerators.Head) {
	s.Compute = accelerators.BF16
	r.Device.HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits, s)
}

// computing is the device with products in the given type.
func computing(dev accelerators.Device, compute accelerators.DType) accelerators.Device {
	if compute == accelerators.BF16 {
		return rounded{dev}
	}
	return dev
}
