package train

import (
	"fmt"
	"math"

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
	norm   accelerators.Buffer // one element
	square [1]float32          // the same on the host
}

func newOptimizer(dev accelerators.Device, params *tensor.ParamSet, spec recipe.Train, seed uint64) (*optimizer, error) {
	o := &optimizer{dev: dev, params: params, spec: spec, seed: seed}
	var err error
	if o.states, err = newStates(dev, params, spec.Optimizer); err == nil {
		o.norm, err = dev.Alloc(accelerators.F32, 1)
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
	if o.norm.Present() {
		o.dev.Free(o.norm)
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

// step updates the parameters from their gradients; number counts from 1. It returns the gradient's norm before clipping.
func (o *optimizer) step(number int, rate float64) (float64, error) {
	norm, err := o.gradNorm()
	if err != nil {
		return 0, err
	}
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm, fmt.Errorf("step %d: the gradient is not finite; lower learning_rate or max_grad_norm", number)
	}
	weights := o.params.Update()
	for _, s := range o.states {
		for _, g := range s.groups {
			s.moments.step(o.dev, weights.Slice(g.Off, g.Len), o.params.Grad.Slice(g.Off, g.Len), g.Off-s.groups[0].Off,
				o.constants(number, rate, g.Decay))
		}
	}
	return norm, nil
}

func (o *optimizer) gradNorm() (float64, error) {
	o.dev.SquaredNorm(o.norm, o.params.Grad)
	err := o.dev.DownloadF32(o.square[:], o.norm)
	return math.Sqrt(float64(o.square[0])), err
}

func (o *optimizer) constants(number int, rate float64, decay bool) accelerators.AdamW {
	a := accelerators.AdamW{
		LR: float32(rate), Beta1: float32(o.spec.Beta1), Beta2: float32(o.spec.Beta2), Eps: float32(o.spec.Epsilon),
		Squared: o.norm, MaxNorm: o.spec.MaxGradNorm, Step: number, Seed: o.seed,
	}
	if decay {
		a.WeightDecay = float32(o.spec.WeightDecay)
	}
	return a
}
