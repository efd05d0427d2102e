package main

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A trainer repeats one training step: forward pass, backward pass, AdamW. The gradient is not clipped, as its norm is
// not taken on the peers' side either.
type trainer struct {
	dev    accelerators.Device
	params *tensor.ParamSet
	arena  *tensor.Arena
	tape   *tensor.Tape
	learn  learn
	seed   []float32 // the gradient of each token's loss
	losses []float32
	m, v   accelerators.Buffer
	steps  int
	rate   float32
	closer func()
}

// learn is the loss of each token, whose gradients are given.
type learn func(t *tensor.Tape, gradient []float32) *tensor.Tensor

// newTrainer makes a trainer of parameters that have memory; tokens is the number of losses. close runs closer.
func newTrainer(dev accelerators.Device, params *tensor.ParamSet, tokens int, learn learn, closer func()) (*trainer, error) {
	arena := tensor.NewArena(dev)
	t := &trainer{dev: dev, params: params, arena: arena, tape: tensor.NewTape(dev, arena), learn: learn,
		seed: make([]float32, tokens), rate: 1e-4, closer: closer}
	for i := range t.seed {
		t.seed[i] = 1 / float32(tokens)
	}
	var err error
	if t.m, err = dev.Alloc(accelerators.F32, params.Count()); err == nil {
		t.v, err = dev.Alloc(accelerators.F32, params.Count())
	}
	if err != nil {
		return nil, fmt.Errorf("moments of %d parameters: %w", params.Count(), err)
	}
	return t, nil
}

// step trains once. The losses are those of the tokens before it.
func (t *trainer) step() (err error) {
	defer t.tape.Reset()
	t.params.ZeroGrad(t.dev)
	if t.losses, err = t.tape.Read(t.losses, t.learn(t.tape, t.seed)); err != nil {
		return err
	}
	if err := t.tape.Backward(); err != nil {
		return err
	}
	t.steps++
	for _, g := range t.params.Groups() {
		s := accelerators.AdamW{LR: t.rate, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Step: t.steps}
		if g.Decay {
			s.WeightDecay = 0.1
		}
		t.dev.AdamW(t.params.Update().Slice(g.Off, g.Len), t.params.Grad.Slice(g.Off, g.Len),
			t.m.Slice(g.Off, g.Len), t.v.Slice(g.Off, g.Len), s)
	}
	return t.dev.Sync()
}

// sides are the step in f32 and with bf16 products, of the same model.
func (t *trainer) sides() []side {
	var both []side
	for _, compute := range []accelerators.DType{accelerators.F32, accelerators.BF16} {
		both = append(both, ours("ours "+compute.String(), func() error {
			t.tape.Compute = compute
			return t.step()
		}))
	}
	return both
}

// loss is the mean before the last step.
func (t *trainer) loss() float64 {
	sum := 0.0
	for _, x := range t.losses {
		sum += float64(x)
	}
	return sum / float64(len(t.losses))
}

// activations is the most memory that the steps took for themselves, in bytes.
func (t *trainer) activations() int64 { return t.arena.Peak() }

func (t *trainer) close() {
	t.arena.Free()
	t.dev.Free(t.m)
	t.dev.Free(t.v)
	t.closer()
}
