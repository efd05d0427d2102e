package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// An optimizer is AdamW over the flat parameter buffer, with global gradient clipping.
type optimizer struct {
	dev    accelerators.Device
	params *tensor.ParamSet
	spec   recipe.Train
	seed   uint64 // of what is rounded at random
	states []states
	square accelerators.Buffer // of the gradient's norm, one element
}

// A gradNorm is the norm of a gradient before clipping, which may still be on its way to the host.
type gradNorm struct {
	square []float32 // one element
	wait   func() error
}

// value waits for the norm. One that is not finite is an error; the step has changed nothing then.
func (n *gradNorm) value(step int) (float64, error) {
	if n.wait != nil {
		if err := n.wait(); err != nil {
			return 0, err
		}
	}
	norm := math.Sqrt(float64(n.square[0]))
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm, fmt.Errorf("step %d: the gradient is not finite; lower learning_rate or max_grad_norm", step)
	}
	return norm, nil
}

func newOptimizer(dev accelerators.Device, params *tensor.ParamSet, spec recipe.Train, seed uint64) (*optimizer, error) {
	o := &optimizer{dev: dev, params: params, spec: spec, seed: seed}
	var err error
	if o.states, err = newStates(dev, params, spec.Optimizer); err == nil {
		o.square, err = dev.Alloc(accelerators.F32, 1)
	}
	if err != nil {
		o.free()
		return nil, fmt.Errorf("allocate optimizer state: %w", err)
	}
	return o, nil
}

func (o *optimizer) free() {
	for _, s := range o.states {
		for _, p := range s.moments.parts() {
			if p.Present() {
				o.dev.Free(p.Buffer)
			}
		}
	}
	if o.square.Present() {
		o.dev.Free(o.square)
	}
}

// bytes is what the moments take.
func (o *optimizer) bytes() (n int64) {
	for _, s := range o.states {
		for _, p := range s.moments.parts() {
			n += int64(p.Len) * int64(p.Type.Size())
		}
	}
	return n
}

// floatBytes is what they would take in float32.
func (o *optimizer) floatBytes() int64 {
	return 2 * int64(o.params.Count()) * int64(accelerators.F32.Size())
}

// step updates the parameters from their gradients, unless these are not finite; number counts from 1. The gradient's
// norm goes to n.
func (o *optimizer) step(number int, rate float64, n *gradNorm) {
	o.dev.SquaredNorm(o.square, o.params.Grad)
	n.square = slices.Grow(n.square[:0], 1)[:1]
	n.wait = o.dev.FetchF32(n.square, o.square)
	weights := o.params.Update()
	for _, s := range o.states {
		for _, g := range s.groups {
			s.moments.step(o.dev, weights.Slice(g.Off, g.Len), o.params.Grad.Slice(g.Off, g.Len), g.Off-s.groups[0].Off,
				o.constants(number, rate, g.Decay))
		}
	}
}

func (o *optimizer) constants(number int, rate float64, decay bool) accelerators.AdamW {
	a := accelerators.AdamW{
		LR: float32(rate), Beta1: float32(o.spec.Beta1), Beta2: float32(o.spec.Beta2), Eps: float32(o.spec.Epsilon),
		Squared: o.square, MaxNorm: o.spec.MaxGradNorm, Step: number, Seed: o.seed,
	}
	if decay {
		a.WeightDecay = float32(o.spec.WeightDecay)
	}
	return a
}
