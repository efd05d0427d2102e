package main

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// halfProducts measures products with bf16 operands against ours in f32 and PyTorch's in bf16. Ours take f32 and round
// on the way; PyTorch's operands and results are bf16 already.
func halfProducts(b *bench) (report, error) {
	torch, err := b.pythonPeer("pytorch.py")
	if err != nil {
		return report{}, err
	}
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	t := table{{"M x N x K", "form", "ours f32", "ours bf16", "PyTorch bf16", "bf16 / f32", "bf16 / PyTorch"}}
	var ratios, beside []float64
	for _, p := range products() {
		all, err := b.halfContest(p, dev, torch)
		if err != nil {
			return report{}, err
		}
		f32, bf16, they, work := all[0], all[1], all[2], p.flops()/1e9
		t.row(p.String(), p.form, f32.rate(work), bf16.rate(work), they.rate(work),
			number(bf16.over(f32)), number(bf16.over(they)))
		ratios, beside = append(ratios, bf16.over(f32)), append(beside, bf16.over(they))
	}
	mean, least := geometric(ratios)
	torchMean, torchLeast := geometric(beside)
	body := fmt.Sprintf("GFLOP/s, best (median), 2 threads. Of PyTorch's bf16: %.2f, minimum %.2f.\n\n%v",
		torchMean, torchLeast, t)
	return report{body,
		[]figure{{workBF16, fmt.Sprintf("%.2f, minimum %.2f", mean, least), mean >= 1.9}}}, nil
}

func (b *bench) halfContest(p product, dev accelerators.Device, torch *peer) ([]series, error) {
	f32, freeF32, err := p.side(dev, accelerators.F32)
	defer freeF32()
	if err != nil {
		return nil, err
	}
	bf16, freeBF16, err := p.side(dev, accelerators.BF16)
	defer freeBF16()
	if err != nil {
		return nil, err
	}
	all, err := b.hold(contest{sides: []side{f32, bf16, torch.side("PyTorch", p.request("mm", "bf16", 2))}})
	if err != nil {
		return nil, err
	}
	return all, torch.forget()
}
