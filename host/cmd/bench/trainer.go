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
	pool   *tensor.Pool
	tape   *tensor.Tape
	math   *precision
	loss   func(*tensor.Tape) *tensor.Tensor // of each token
	seed   []float32
	m, v   accelerators.Buffer
	steps  int
	rate   float32
	closer func()
}

// newTrainer makes a trainer of parameters that have memory; tokens is the number of losses. close runs closer.
func newTrainer(dev accelerators.Device, params *tensor.ParamSet, tokens int, loss func(*tensor.Tape) *tensor.Tensor,
	closer func()) (*trainer, error) {
	pool := tensor.NewPool(dev)
	math := &precision{Device: dev}
	t := &trainer{dev: dev, params: params, pool: pool, math: math, tape: tensor.NewTape(math, pool), loss: loss,
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

// step trains once.
func (t *trainer) step() error {
	defer t.tape.Reset()
	t.params.ZeroGrad(t.dev)
	if err := t.tape.Backward(tensor.Seed{Of: t.loss(t.tape), Grad: t.seed}); err != nil {
		return err
	}
	t.steps++
	for _, g := range t.params.Groups() {
		s := accelerators.AdamW{LR: t.rate, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, GradScale: 1, Step: t.steps}
		if g.Decay {
			s.WeightDecay = 0.1
		}
		t.dev.AdamW(t.params.Value.Slice(g.Off, g.Len), t.params.Grad.Slice(g.Off, g.Len),
			t.m.Slice(g.Off, g.Len), t.v.Slice(g.Off, g.Len), s)
	}
	return t.dev.Sync()
}

// sides are the step in f32 and with bf16 products, of the same model.
func (t *trainer) sides() []side {
	var both []side
	for _, compute := range []accelerators.DType{accelerators.F32, accelerators.BF16} {
		both = append(both, ours("ours "+compute.String(), func() error {
			t.math.compute = compute
			return t.step()
		}))
	}
	return both
}

// evaluate is the mean loss before the next step.
func (t *trainer) evaluate() (float64, error) {
	defer t.tape.Reset()
	losses, err := t.tape.Download(t.loss(t.tape))
	sum := 0.0
	for _, x := range losses {
		sum += float64(x)
	}
	return sum / float64(len(t.seed)), err
}

// activations is the most memory that the steps took for themselves, in bytes.
func (t *trainer) activations() int64 { return t.pool.Peak() }

func (t *trainer) close() {
	t.pool.Free()
	t.dev.Free(t.m)
	t.dev.Free(t.v)
	t.closer()
}
