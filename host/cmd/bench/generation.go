package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/model"
)

// generated is the tokens of an answer that are timed; the first, which reads the prompt, is not.
const generated = 32

// generation measures greedy continuations with a cache against what the machine allows, and against llama.cpp.
func generation(b *bench) (report, error) {
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	r, err := b.besideBound(dev)
	if err != nil {
		return report{}, err
	}
	beside, err := b.besideLlamaCpp(dev)
	return report{r.body + "\n" + beside.body, append(r.figures, beside.figures...)}, err
}

// besideBound measures against the time that reading the weights or multiplying with them takes at least.
func (b *bench) besideBound(dev accelerators.Device) (report, error) {
	read, err := b.readBandwidth(dev)
	if err != nil {
		return report{}, err
	}
	m, err := model.New(dev, large.llama(256), model.HeadLM, 1, model.Frozen())
	if err != nil {
		return report{}, err
	}
	defer m.Close()
	t := table{{"batch", "tokens/s", "bound, tokens/s", "share", "bound by"}}
	least := math.Inf(1)
	for _, batch := range []int{1, 16} {
		s, err := b.generate(m, batch)
		if err != nil {
			return report{}, err
		}
		bound, by := generationBound(dev.Peak(), read, batch)
		share := bound / s.best()
		t.row(fmt.Sprint(batch), s.rate(float64(batch)), number(float64(batch)/bound), percent(share), by)
		least = min(least, share)
	}
	body := fmt.Sprintf("134M model, f32 weights, 2 threads, %d tokens after prompts of 16; best (median). "+
		"Reading runs at %s GB/s.\n\n%v", generated, number(read/1e9), t)
	return report{body, []figure{{workGeneration, "minimum " + percent(least), least >= 0.8}}}, nil
}

// readBandwidth is the largest of PyTorch's triad and dot product over arrays beyond the caches, and our sum of squares
// over as much as all weights, in bytes per second.
func (b *bench) readBandwidth(dev accelerators.Device) (float64, error) {
	torch, err := b.pythonPeer("pytorch.py")
	if err != nil {
		return 0, err
	}
	weights := largeWeights()
	x, free, err := buffers(dev, weights, 1)
	defer free()
	if err != nil {
		return 0, err
	}
	all, err := b.hold(contest{sides: []side{
		torch.side("triad", request{Op: "triad", N: arrayCount, Threads: 2}),
		torch.side("dot", request{Op: "dot", N: arrayCount, Threads: 2}),
		ours("read", func() error { dev.SquaredNorm(x[1], x[0]); return dev.Sync() }),
	}})
	if err != nil {
		return 0, err
	}
	triad, dot, read := all[0].best(), all[1].best(), all[2].best()
	return max(12*arrayCount/triad, 8*arrayCount/dot, 4*float64(weights)/read), torch.forget()
}

// largeWeights is how many weights the products of a token use.
func largeWeights() int {
	s := large
	return s.Layers*(4*s.Width*s.Width+3*s.Width*s.Inner) + s.Vocab*s.Width
}

// generationBound is the least seconds of one token of every sequence: each weight of a product is read once, and
// multiplied once for each sequence.
func generationBound(p accelerators.Peak, read float64, batch int) (seconds float64, by string) {
	weights := float64(largeWeights())
	reading, computing := 4*weights/read, 2*weights*float64(batch)/p.F32
	if reading > computing {
		return reading, "bandwidth"
	}
	return computing, "products"
}

// generate measures the seconds of one token of every sequence.
func (b *bench) generate(m *model.Model, batch int) (series, error) {
	prompts := make([][]int32, batch)
	for i := range prompts {
		prompts[i] = make([]int32, 16)
		for j := range prompts[i] {
			prompts[i][j] = int32(100*i + j)
		}
	}
	s := side{run: func(reps int) (spent, error) {
		var sum spent
		for range reps {
			var cpu float64
			var start time.Time
			seen := 0
			_, err := m.Generate(context.Background(), prompts, model.Generation{MaxTokens: generated + 1, Stop: []int32{-1}},
				func(int, int32) {
					if seen++; seen == batch {
						cpu, start = cpuSeconds(), time.Now()
					}
				})
			if err != nil {
				return spent{}, err
			}
			sum.wall += time.Since(start).Seconds() / generated
			sum.cpu += (cpuSeconds() - cpu) / generated
		}
		return sum, nil
	}}
	all, err := b.hold(contest{sides: []side{s}})
	if err != nil {
		return series{}, err
	}
	return all[0], nil
}
