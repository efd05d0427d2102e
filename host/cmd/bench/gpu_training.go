package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/train"
)

// A gpuModel is a stage that is timed on a GPU: a model, its batch and how it is trained.
type gpuModel struct {
	name string
	shape
	gpuGoal
	beside bool                // PyTorch, which keeps moments in f32
	set    func(*recipe.Train) // of the stage, beside what all have
}

// gpuModels have random weights. Batches fill a card of 141 GB.
var gpuModels = []gpuModel{
	{"124M, T=1024", shape{Layers: 12, Width: 768, Heads: 12, Inner: 2048, Vocab: 50304, Length: 1024, Batch: 64},
		gpuGoal{350e3, 510e3}, true, nil},
	{"1.5B, T=1024", qwen(1024, 32), gpuGoal{45e3, 61e3}, true, nil},
	{"1.5B, T=2048", qwen(2048, 16), gpuGoal{43e3, 56e3}, true, nil},
	{"8B, T=4096, full, moments in bf16", llama8B(1), gpuGoal{8.5e3, 12.7e3}, false, func(s *recipe.Train) {
		s.Optimizer, s.GradientCheckpointing = "adamw_bf16", true
	}},
	{"8B, T=4096, LoRA", llama8B(2), gpuGoal{}, false, func(s *recipe.Train) {
		s.LoRA = &recipe.LoRA{Rank: 16, Alpha: 32, Targets: recipe.Fields{model.AllLinear}}
		s.GradientCheckpointing = true
	}},
	{"8B, T=4096, DPO of a LoRA", llama8B(1), gpuGoal{}, false, func(s *recipe.Train) {
		s.LoRA = &recipe.LoRA{Rank: 16, Alpha: 32, Targets: recipe.Fields{model.AllLinear}}
		s.Objective, s.GradientCheckpointing = "dpo", true
	}},
}

// qwen is Qwen2.5-1.5B; llama8B is Llama-3-8B at its length of pre-training here.
func qwen(length, batch int) shape {
	return shape{Layers: 28, Width: 1536, Heads: 12, KV: 2, Inner: 8960, Vocab: 151936, Length: length, Batch: batch,
		Tied: true}
}

func llama8B(batch int) shape {
	return shape{Layers: 32, Width: 4096, Heads: 32, KV: 8, Inner: 14336, Vocab: 128256, Length: 4096, Batch: batch}
}

// gpuSteps are timed after gpuWarmUp others, in which kernels are loaded and algorithms chosen.
const gpuWarmUp, gpuSteps = 3, 8

// stage is the recipe of the model's stage.
func (m gpuModel) stage() recipe.Train {
	s := recipe.Train{
		Objective: "next_token", Data: recipe.Mix{Mix: map[string]float64{randomSource: 1}}, Learn: "all",
		SequenceLen: m.Length, OverLength: "cut", Steps: gpuWarmUp + gpuSteps, BatchSize: m.Batch,
		LearningRate: 1e-4, Scheduler: "constant", WeightDecay: 0.1, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8,
		MaxGradNorm: 1, Beta: 0.1, BF16: true,
	}
	if m.set != nil {
		m.set(&s)
	}
	return s
}

func gpuTraining(b *bench) (report, error) {
	dev, err := b.openGPU()
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	t := table{{"stage", "tokens/s", "TFLOP/s", "of bf16 peak", "beside the first goal", "of PyTorch", "memory, GB"}}
	peak := dev.Peak().BF16
	for _, m := range gpuModels {
		m.shape = b.size(m.shape)
		cells, err := b.gpuRow(dev, m, peak)
		if err != nil && b.tiny {
			return report{}, fmt.Errorf("%s: %w", m.name, err)
		}
		if err != nil {
			cells = []string{"failed: " + err.Error()}
		}
		t.row(append([]string{m.name}, cells...)...)
	}
	return report{body: "Whole steps of the training loop on random tokens: clipping, AdamW and the loss included. " +
		"Causal attention is counted as half.\n\n" + t.String()}, nil
}

// gpuRow is the figures of a stage. One that fails does not keep the others from being measured.
func (b *bench) gpuRow(dev accelerators.Device, m gpuModel, peak float64) ([]string, error) {
	rate, memory, err := m.measure(dev)
	if err != nil {
		return nil, err
	}
	beside, err := b.besidePyTorch(m)
	if err != nil {
		return nil, err
	}
	flops := rate * m.llama(m.Length).FlopsPerToken(m.Length)
	return []string{number(rate), number(flops / 1e12), percent(flops / peak), m.of(rate), ratio(rate, beside),
		number(float64(memory) / 1e9)}, nil
}

// measure returns tokens per second of the fastest step and the bytes that the stage takes.
func (m gpuModel) measure(dev accelerators.Device) (rate float64, memory int64, err error) {
	spec := m.stage()
	cfg := m.llama(m.Length)
	need, err := train.Footprint(dev.HoldsBF16(), cfg, spec)
	if err != nil {
		return 0, 0, err
	}
	made, err := model.New(dev, cfg, model.HeadLM, 1, train.Adapted(spec, 1)...)
	if err != nil {
		return 0, 0, err
	}
	defer made.Close()
	plan, err := m.plan(spec)
	if err != nil {
		return 0, 0, err
	}
	job := train.Job{Name: m.name, Spec: spec, Device: dev, Model: made, Plan: plan, Log: slog.New(slog.DiscardHandler)}
	best, last := time.Duration(0), time.Now()
	err = train.Measure(context.Background(), job, gpuWarmUp+gpuSteps, func(step int, _ train.Metrics) {
		took := time.Since(last)
		last = time.Now()
		if step > gpuWarmUp && (best == 0 || took < best) {
			best = took
		}
	})
	tokens := plan.Batch(0).Offsets
	return float64(tokens[len(tokens)-1]) / best.Seconds(), need.Total(), err
}

// besidePyTorch is the tokens per second of PyTorch, compiled, with its best attention; 0 where it is not measured.
func (b *bench) besidePyTorch(m gpuModel) (rate float64, err error) {
	if _, absent := os.Stat(b.python); !m.beside || b.tiny || absent != nil {
		return 0, nil
	}
	torch, err := b.pythonPeer("pytorch.py")
	if err != nil {
		return 0, err
	}
	all, err := b.hold(contest{sides: []side{torch.side("PyTorch", request{
		Op: "step", Threads: runtime.NumCPU(), DType: "bf16", Attention: "sdpa", Compile: true, Device: "cuda", shape: &m.shape,
	})}})
	if err != nil {
		return 0, err
	}
	return float64(m.tokens()) / all[0].best(), torch.forget()
}

// ratio is that of two rates; nothing where the other was not measured.
func ratio(rate, beside float64) string {
	if beside == 0 {
		return ""
	}
	return number(rate / beside)
}
