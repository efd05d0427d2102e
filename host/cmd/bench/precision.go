package main

import "github.com/carebot-llm/carebot/accelerators"

// precision is a device all of whose products have operands of one type, which may change between operations.
type precision struct {
	accelerators.Device
	compute accelerators.DType
}

func (p *precision) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) {
	s.Compute = p.compute
	p.Device.MatMul(c, a, b, s)
}

func (p *precision) HeadLoss(nll, lse, hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) {
	s.Compute = p.compute
	p.Device.HeadLoss(nll, lse, hidden, weight, targets, logits, s)
}

func (p *precision) HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits accelerators.Buffer,
	s accelerators.Head) {
	s.Compute = p.compute
	p.Device.HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits, s)
}

func (p *precision) HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits accelerators.Buffer,
	s accelerators.Head) {
	s.Compute = p.compute
	p.Device.HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits, s)
}
