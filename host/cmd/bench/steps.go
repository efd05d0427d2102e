package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

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
	{"134M, T=1024", shape{Layers: 12, Width: 768, Heads: 12, Inner: 2048, Vocab: 32000, Length: 1024, Batch: 4}, 1.25, 2.3, 1.6},
	{"17M, T=256", shape{Layers: 6, Width: 384, Heads: 6, Inner: 1024, Vocab: 8192, Length: 256, Batch: 8}, 1.4, 2.5, 0},
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
	theirs := append(contenders(trials, "f32"), contenders(trials, "bf16")...)
	t, err := m.trainer(dev)
	if err != nil {
		return report{}, err
	}
	defer t.close()
	sides := t.sides()
	for _, s := range theirs {
		sides = append(sides, torch.side("PyTorch "+s.name, s.request))
	}
	all, err := b.hold(contest{sides: sides})
	if err != nil {
		return report{}, err
	}
	r, err := m.report(all[:2], bestOf(theirs, all[2:]), dev.Peak().F32)
	r.body += "\nPyTorch's settings, seconds of a step with a quarter of the batch: " + settingList(trials) + ".\n"
	return r, errors.Join(err, torch.forget())
}

// tryAll runs each setting of PyTorch on a quarter of the batch. One that fails is passed over.
func tryAll(torch *peer, settings []setting) []trial {
	var trials []trial
	for _, s := range settings {
		quarter := *s.shape
		quarter.Batch = max(1, quarter.Batch/4)
		r := s.request
		r.shape = &quarter
		t := trial{setting: s}
		if t.seconds, t.err = settled(torch.side(s.name, r)); t.err != nil {
			fmt.Fprintf(os.Stderr, "passed over: %v\n", t.err)
			t.seconds = math.Inf(1)
		}
		trials = append(trials, t)
	}
	return trials
}

// settled is the seconds of the better of two runs after the first, which may have compiled the model.
func settled(s side) (float64, error) {
	least := math.Inf(1)
	for i := range 3 {
		took, err := s.run(1)
		if err != nil {
			return 0, err
		}
		if i > 0 {
			least = min(least, took.wall)
		}
	}
	return least, nil
}

// contenders are the settings of a type that may be the fastest, as far as one trial tells where the speed changes.
func contenders(trials []trial, dtype string) []setting {
	const margin = 1.25
	least := math.Inf(1)
	for _, t := range trials {
		if t.DType == dtype {
			least = min(least, t.seconds)
		}
	}
	var near []setting
	for _, t := range trials {
		if t.DType == dtype && t.err == nil && t.seconds <= margin*least {
			near = append(near, t.setting)
		}
	}
	return near
}

// bestOf is the fastest series of each type.
func bestOf(settings []setting, all []series) map[string]series {
	best := map[string]series{}
	for i, s := range settings {
		if b, seen := best[s.DType]; !seen || all[i].best() < b.best() {
			best[s.DType] = all[i]
		}
	}
	return best
}

// report compares our f32 and bf16 with PyTorch's best f32 and best bf16.
func (m stepModel) report(us []series, best map[string]series, peak float64) (report, error) {
	f32, bf16, torch, half := us[0], us[1], best["f32"], best["bf16"]
	if len(best) < 2 {
		return report{}, fmt.Errorf("PyTorch runs only %d of f32 and bf16", len(best))
	}
	t := table{{m.String(), "tokens/s", "GFLOP/s", "of f32 peak", "of PyTorch f32", "of PyTorch bf16"}}
	share := func(s series) float64 { return m.flops() / s.best() / peak }
	for _, s := range []series{f32, bf16, torch, half} {
		t.row(s.name, s.rate(float64(m.tokens())), s.rate(m.flops()/1e9), percent(share(s)),
			number(s.over(torch)), number(s.over(half)))
	}
	r := report{body: t.String()}
	r.figures = []figure{
		{m.work("f32"), number(f32.over(torch)), f32.over(torch) >= m.leastF32},
		{m.work("bf16"), fmt.Sprintf("%s; %s of its best bf16", number(bf16.over(torch)), number(bf16.over(half))),
			bf16.over(torch) >= m.leastBF16 && bf16.over(half) >= m.leastHalf},
	}
	if m.shape == large {
		r.figures = append(r.figures, figure{workPeak, percent(share(f32)), share(f32) >= 0.8},
			figure{workPeakBF16, percent(share(bf16)), share(bf16) >= 1.5})
	}
	return r, nil
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
