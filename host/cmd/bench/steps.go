package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// A stepModel is a model whose whole steps are compared, with the ratios to reach.
type stepModel struct {
	name string
	shape
	leastF32, leastBF16 float64 // of PyTorch in f32
	leastHalf           float64 // bf16, of PyTorch's best bf16; 0 is no target
}

var large = shape{Layers: 12, Width: 768, Heads: 12, Inner: 2048, Vocab: 32000, Length: 512, Batch: 4}

var stepModels = []stepModel{
	{"134M, T=512", large, 1.25, 2.3, 1.6},
	{"134M, T=1024", shape{12, 768, 12, 2048, 32000, 1024, 4}, 1.25, 2.3, 1.6},
	{"17M, T=256", shape{6, 384, 6, 1024, 8192, 256, 8}, 1.4, 2.5, 0},
}

func (m stepModel) work(dtype string) string {
	return fmt.Sprintf("whole step Llama-class %s, %s", m.name, dtype)
}

func (m stepModel) bf16Target() string {
	text := number(m.leastBF16) + " of PyTorch f32"
	if m.leastHalf > 0 {
		text += fmt.Sprintf(" and %s of its best bf16", number(m.leastHalf))
	}
	return text
}

// settings are PyTorch's ways to run a step, of which the fastest of each type counts.
func (m stepModel) settings() []setting {
	all := []setting{
		{"f32, SDPA", request{DType: "f32", Attention: "sdpa"}},
		{"bf16 autocast, SDPA", request{DType: "bf16", Attention: "sdpa"}},
		{"bf16 autocast, math attention", request{DType: "bf16", Attention: "math"}},
	}
	if m.Length < 1024 { // compiling takes a minute, and the length changes little about its worth
		all = append(all, setting{"f32, SDPA, torch.compile", request{DType: "f32", Attention: "sdpa", Compile: true}})
	}
	for i := range all {
		all[i].Op, all[i].Threads, all[i].shape = "step", 2, &m.shape
	}
	return all
}

// A setting is a way in which PyTorch runs a step.
type setting struct {
	name string
	request
}

// A trial is the first measurement of a setting, by which the best of its type is found.
type trial struct {
	setting
	seconds float64
	err     error
}

func steps(b *bench) (report, error) {
	var r report
	for _, m := range stepModels {
		one, err := b.stepModel(m)
		if err != nil {
			return report{}, fmt.Errorf("%s: %w", m.name, err)
		}
		r.body += one.body + "\n"
		r.figures = append(r.figures, one.figures...)
	}
	return r, nil
}

func (b *bench) stepModel(m stepModel) (report, error) {
	torch, err := b.pythonPeer("pytorch.py")
	if err != nil {
		return report{}, err
	}
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	trials := tryAll(torch, m.settings())
	f32, bf16 := fastest(trials, "f32"), fastest(trials, "bf16")
	if err := cmp.Or(f32.err, bf16.err); err != nil {
		return report{}, err
	}
	sides, free, err := stepSides(dev, m.shape)
	defer free()
	if err != nil {
		return report{}, err
	}
	all, err := b.hold(contest{sides: append(sides, torch.side("PyTorch "+f32.name, f32.request),
		torch.side("PyTorch "+bf16.name, bf16.request))})
	if err != nil {
		return report{}, err
	}
	return m.report(all, trials, peak(dev).F32), torch.forget()
}

// stepSides are our steps in f32 and with bf16 products, and the function that frees their models.
func stepSides(dev accelerators.Device, s shape) (sides []side, free func(), err error) {
	var trainers []*trainer
	free = func() {
		for _, t := range trainers {
			t.close()
		}
	}
	for _, compute := range []accelerators.DType{accelerators.F32, accelerators.BF16} {
		t, err := s.trainer(computing(dev, compute))
		if err != nil {
			return nil, free, err
		}
		trainers = append(trainers, t)
		sides = append(sides, ours("ours "+compute.String(), t.step))
	}
	return sides, free, nil
}

// tryAll runs each setting of PyTorch twice, the second time measured. One that fails is passed over.
func tryAll(torch *peer, settings []setting) []trial {
	var trials []trial
	for _, s := range settings {
		t := trial{setting: s}
		if t.seconds, t.err = warmUp(torch.side(s.name, s.request)); t.err != nil {
			fmt.Fprintf(os.Stderr, "passed over: %v\n", t.err)
			t.seconds = math.Inf(1)
		}
		trials = append(trials, t)
	}
	return trials
}

func fastest(trials []trial, dtype string) trial {
	fit := slices.DeleteFunc(slices.Clone(trials), func(t trial) bool { return t.DType != dtype })
	return slices.MinFunc(fit, func(a, b trial) int { return cmp.Compare(a.seconds, b.seconds) })
}

// report compares our f32 and bf16 with PyTorch's best f32 and best bf16, in this order in all.
func (m stepModel) report(all []series, trials []trial, peak float64) report {
	f32, bf16, torch, half := all[0], all[1], all[2], all[3]
	t := table{{m.String(), "tokens/s", "GFLOP/s", "of f32 peak", "of PyTorch f32", "of PyTorch bf16"}}
	for _, s := range all {
		t.row(s.name, s.rate(float64(m.tokens())), s.rate(m.flops()/1e9), percent(m.flops()/s.best()/peak),
			number(s.over(torch)), number(s.over(half)))
	}
	r := report{body: t.String() + "\nPyTorch's settings, seconds of a second step: " + settingList(trials) + ".\n"}
	r.figures = []figure{
		{m.work("f32"), number(f32.over(torch)), f32.over(torch) >= m.leastF32},
		{m.work("bf16"), fmt.Sprintf("%s; %s of its best bf16", number(bf16.over(torch)), number(bf16.over(half))),
			bf16.over(torch) >= m.leastBF16 && bf16.over(half) >= m.leastHalf},
	}
	if m.shape == large {
		share := func(s series) float64 { return m.flops() / s.best() / peak }
		r.figures = append(r.figures, figure{workPeak, percent(share(f32)), share(f32) >= 0.8},
			figure{workPeakBF16, percent(share(bf16)), share(bf16) >= 1.5})
	}
	return r
}

func settingList(trials []trial) string {
	var parts []string
	for _, t := range trials {
		if t.err != nil {
			parts = append(parts, t.name+" does not run")
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %s", t.name, number(t.seconds)))
	}
	return strings.Join(parts, ", ")
}
