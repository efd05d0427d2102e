package meter

import "github.com/carebot-llm/carebot/accelerators"

// HeadLoss is measured: one product with the weight for each row with a target.
func (d *Device) HeadLoss(nll, lse, hidden, weight, targets, logits accelerators.Buffer, s accelerators.Head) {
	counted := d.counted(targets, s)
	start := d.Elapsed()
	d.Device.HeadLoss(nll, lse, hidden, weight, targets, logits, s)
	d.note("HeadLoss", start, headWork(s, counted, 1, part(hidden, (counted+s.Vocab)*s.Width)))
}

// HeadLossGrad is measured: the logits again, and two products for the gradients.
func (d *Device) HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits accelerators.Buffer,
	s accelerators.Head) {
	counted := d.counted(targets, s)
	start := d.Elapsed()
	d.Device.HeadLossGrad(dhidden, dweight, dnll, hidden, weight, targets, lse, logits, s)
	d.note("HeadLossGrad", start, headWork(s, counted, 3, learned(hidden, s, counted)))
}

// HeadLearn is measured: three products.
func (d *Device) HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits accelerators.Buffer,
	s accelerators.Head) {
	counted := d.counted(targets, s)
	start := d.Elapsed()
	d.Device.HeadLearn(nll, dhidden, dweight, dnll, hidden, weight, targets, logits, s)
	d.note("HeadLearn", start, headWork(s, counted, 3, learned(hidden, s, counted)))
}

// counted is how many rows have a target.
func (d *Device) counted(targets accelerators.Buffer, s accelerators.Head) int {
	n := 0
	for _, target := range d.peek(targets, s.Tokens) {
		if target >= 0 {
			n++
		}
	}
	return n
}

// learned is the bytes that a head's gradient moves: hidden and its gradient, the weight, its gradient read and
// written.
func learned(hidden accelerators.Buffer, s accelerators.Head, counted int) float64 {
	return part(hidden, (counted+s.Tokens+s.Vocab)*s.Width) + floats(2*s.Vocab*s.Width)
}

var headForms = [2]string{"", "bf16"}

// headWork is that of so many products, and the bytes of matrices and of three numbers for each token.
func headWork(s accelerators.Head, counted, products int, matrices float64) work {
	return work{
		flops:   2 * float64(products) * float64(counted) * float64(s.Width) * float64(s.Vocab),
		bytes:   matrices + floats(3*s.Tokens),
		shape:   shape{[4]int{s.Tokens, s.Vocab, s.Width}, headForms[index(s.Compute == accelerators.BF16)]},
		compute: s.Compute,
	}
}
