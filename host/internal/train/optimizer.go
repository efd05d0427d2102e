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
	m, v   accelerators.Buffer // first and second moments, laid out as the parameters
	norm   accelerators.Buffer // one element
	square [1]float32          // the same on the host
}

func newOptimizer(dev accelerators.Device, params *tensor.ParamSet, spec recipe.Train) (*optimizer, error) {
	o := &optimizer{dev: dev, params: params, spec: spec}
	for _, b := range []struct {
		buffer *accelerators.Buffer
		n      int
	}{{&o.m, params.Value.Len}, {&o.v, params.Value.Len}, {&o.norm, 1}} {
		var err error
		if *b.buffer, err = dev.Alloc(accelerators.F32, b.n); err != nil {
			o.free()
			return nil, fmt.Errorf("allocate optimizer state: %w", err)
		}
	}
	return o, nil
}

func (o *optimizer) free() {
	for _, b := range []accelerators.Buffer{o.m, o.v, o.norm} {
		if b.Present() {
			o.dev.Free(b)
		}
	}
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
	scale := 1.0
	if o.spec.MaxGradNorm > 0 && norm > o.spec.MaxGradNorm {
		scale = o.spec.MaxGradNorm / norm
	}
	for _, g := range o.params.Groups() {
		o.dev.AdamW(o.params.Value.Slice(g.Off, g.Len), o.params.Grad.Slice(g.Off, g.Len),
			o.m.Slice(g.Off, g.Len), o.v.Slice(g.Off, g.Len), o.constants(number, rate, scale, g.Decay))
	}
	return norm, nil
}

func (o *optimizer) gradNorm() (float64, error) {
	o.dev.SquaredNorm(o.norm, o.params.Grad)
	err := o.dev.DownloadF32(o.square[:], o.norm)
	return math.Sqrt(float64(o.square[0])), err
}

func (o *optimizer) constants(number int, rate, scale float64, decay bool) accelerators.AdamW {
	a := accelerators.AdamW{
		LR: float32(rate), Beta1: float32(o.spec.Beta1), Beta2: float32(o.spec.Beta2), Eps: float32(o.spec.Epsilon),
		GradScale: float32(scale), Step: number,
	}
	if decay {
		a.WeightDecay = float32(o.spec.WeightDecay)
	}
	return a
}
