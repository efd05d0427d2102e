package main

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// growthLengths double the length of one sequence.
var growthLengths = []int{2048, 4096, 8192, 16384}

// growth measures how step and memory of a small model grow with the length of one sequence. The time of attention,
// which grows with its square, is measured alone and subtracted.
func growth(b *bench) (report, error) {
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	t := table{{"T", "step, ms", "attention, ms", "rest, us per token", "activations, bytes per token"}}
	var times, memory []float64
	for _, length := range growthLengths {
		s := shape{Layers: 2, Width: 128, Heads: 2, Inner: 352, Vocab: 2048, Length: length, Batch: 1}
		step, alone, bytes, err := b.stepApart(dev, s)
		if err != nil {
			return report{}, err
		}
		rest := (step.best() - float64(s.Layers)*alone.best()) / float64(length)
		times, memory = append(times, rest), append(memory, float64(bytes)/float64(length))
		t.row(fmt.Sprint(length), number(1e3*step.best()), number(1e3*float64(s.Layers)*alone.best()), number(1e6*rest),
			number(memory[len(memory)-1]))
	}
	slower, larger := times[len(times)-1]/times[0], memory[len(memory)-1]/memory[0]
	f := figure{workGrowth, fmt.Sprintf("per token at 16k, of that at 2k: time %.2f, memory %.2f", slower, larger),
		math.Max(slower, larger) <= 1.1}
	return report{"2 layers, d=128, one sequence, 2 threads, f32; per token a constant is linear growth.\n\n" + t.String(),
		[]figure{f}}, nil
}

// stepApart measures a step, the attention of one layer alone, and the memory of the step.
func (b *bench) stepApart(dev *cpu.Device, s shape) (step, alone series, bytes int64, err error) {
	t, err := s.trainer(dev)
	if err != nil {
		return step, alone, 0, err
	}
	defer t.close()
	h, err := newHeads(dev, s)
	if err != nil {
		return step, alone, 0, err
	}
	defer h.free()
	step, alone, err = b.duel(ours("step", t.step), ours("attention", h.both), false)
	return step, alone, t.activations(), err
}
