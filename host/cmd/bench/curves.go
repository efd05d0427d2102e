package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

const (
	curveSteps = 300
	curveEvery = 25
)

var curveShape = shape{Layers: 4, Width: 256, Heads: 4, Inner: 704, Vocab: 2048, Length: 128, Batch: 8}

// curves trains a small model on the sample text, with products in f32 and in bf16, and shows both losses.
func curves(b *bench) (report, error) {
	ids, err := sampleTokens(curveShape.Vocab)
	if err != nil {
		return report{}, err
	}
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	f32, err := curve(dev, accelerators.F32, ids)
	if err != nil {
		return report{}, err
	}
	bf16, err := curve(dev, accelerators.BF16, ids)
	if err != nil {
		return report{}, err
	}
	image := filepath.Join(filepath.Dir(b.page), "bf16-loss.png")
	if err := plotLines(image, lossLines(f32, bf16)); err != nil {
		return report{}, err
	}
	return curveReport(f32, bf16, filepath.Base(image)), nil
}

func curveReport(f32, bf16 []float64, image string) report {
	t := table{{"steps", "f32", "bf16 products"}}
	for to := curveEvery; to <= curveSteps; to += curveEvery {
		part := func(losses []float64) string { return fmt.Sprintf("%.4f", mean(losses[to-curveEvery:to])) }
		t.row(fmt.Sprintf("%d to %d", to-curveEvery+1, to), part(f32), part(bf16))
	}
	last := func(losses []float64) float64 { return mean(losses[curveSteps-curveEvery:]) }
	off := last(bf16)/last(f32) - 1
	body := fmt.Sprintf("Mean loss. %v, medical sample text, the same batches.\n\n%v\n"+
		"![Loss in f32 and with bf16 products](%s)\n", curveShape, t, image)
	measured := fmt.Sprintf("last %d of %d steps: %+.2f %%", curveEvery, curveSteps, 100*off)
	return report{body, []figure{{workCurves, measured, off < 0.01}}}
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// curve is the loss of every step.
func curve(dev accelerators.Device, compute accelerators.DType, ids []int32) ([]float64, error) {
	s := curveShape
	m, err := model.New(dev, s.llama(s.Length), model.HeadLM, 1)
	if err != nil {
		return nil, err
	}
	in := model.Input{Offsets: s.offsets()}
	var targets []int32
	t, err := newTrainer(dev, m.Params(), s.tokens(), func(t *tensor.Tape, gradient []float32) *tensor.Tensor {
		return m.LearnTokens(t, m.Hidden(t, in), targets, gradient)
	}, m.Close)
	if err != nil {
		return nil, err
	}
	defer t.close()
	t.rate, t.tape.Compute = 1e-3, compute
	random := rand.New(rand.NewPCG(5, 6))
	losses := make([]float64, curveSteps)
	for i := range losses {
		in.Tokens, targets = draw(random, ids, s)
		if err := t.step(); err != nil {
			return nil, err
		}
		losses[i] = t.loss()
	}
	return losses, nil
}
