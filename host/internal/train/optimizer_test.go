package train

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// adamW is the update of Loshchilov and Hutter 2019, algorithm 2, with clipping to a global norm, in float64.
type adamW struct {
	spec    recipe.Train
	w, m, v []float64
	decayed []bool
}

func (a *adamW) step(number int, rate float64, grad []float64) (norm float64) {
	for _, g := range grad {
		norm += g * g
	}
	norm = math.Sqrt(norm)
	clip := 1.0
	if a.spec.MaxGradNorm > 0 {
		clip = min(1, a.spec.MaxGradNorm/norm)
	}
	n := float64(number)
	for i, g := range grad {
		g *= clip
		a.m[i] = a.spec.Beta1*a.m[i] + (1-a.spec.Beta1)*g
		a.v[i] = a.spec.Beta2*a.v[i] + (1-a.spec.Beta2)*g*g
		m, v := a.m[i]/(1-math.Pow(a.spec.Beta1, n)), a.v[i]/(1-math.Pow(a.spec.Beta2, n))
		update := m / (math.Sqrt(v) + a.spec.Epsilon)
		if a.decayed[i] {
			update += a.spec.WeightDecay * a.w[i]
		}
		a.w[i] -= rate * update
	}
	return norm
}

// weighted is a set of a matrix, which decays, and a vector, which does not, and the reference over the same weights.
func weighted(t *testing.T, dev accelerators.Device, spec recipe.Train) (*tensor.ParamSet, *adamW) {
	t.Helper()
	set := &tensor.ParamSet{}
	set.Add("vector", []int{16}, false)
	set.Add("matrix", []int{4, 16}, true)
	if err := set.Alloc(dev, tensor.Trained); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Free(dev) })
	n := set.Count()
	a := &adamW{spec, make([]float64, n), make([]float64, n), make([]float64, n), make([]bool, n)}
	random := rand.New(rand.NewPCG(1, 2))
	start := make([]float32, n)
	for i := range start {
		start[i] = float32(random.NormFloat64())
		a.w[i] = float64(start[i])
	}
	dev.UploadF32(set.Update(), start)
	for _, p := range set.All() {
		for i := range p.Size() {
			a.decayed[p.Off+i] = p.Decay
		}
	}
	return set, a
}

func TestTheOptimizerIsClippedAdamWOnSchedule(t *testing.T) {
	base := recipe.Train{
		LearningRate: 1e-2, Scheduler: "linear", WarmupRatio: 0.3, MinRatio: 0.1,
		WeightDecay: 0.5, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, MaxGradNorm: 1,
	}
	unclipped, undecayed := base, base
	unclipped.MaxGradNorm = 0
	undecayed.WeightDecay = 0
	for name, spec := range map[string]recipe.Train{"all": base, "no clipping": unclipped, "no decay": undecayed} {
		dev := openCPU(t)
		set, reference := weighted(t, dev, spec)
		o, err := newOptimizer(dev, set, spec, 0)
		if err != nil {
			t.Fatal(err)
		}
		const steps = 10
		rates := newSchedule(spec, steps)
		random := rand.New(rand.NewPCG(3, 4))
		for step := range steps {
			// Norms from 0.1 to 20 or so: some are clipped.
			grad, wide := drawGradient(random, set.Count(), math.Pow(10, float64(step%4)/2-2))
			dev.UploadF32(set.Grad, grad)
			norm, err := stepped(o, step+1, rates.rate(step))
			if err != nil {
				t.Fatal(err)
			}
			if want := reference.step(step+1, rates.rate(step), wide); math.Abs(norm-want) > 1e-5*want {
				t.Errorf("%s, step %d: norm %g, want %g", name, step+1, norm, want)
			}
		}
		got := make([]float32, set.Count())
		if err := dev.DownloadF32(got, set.Value()); err != nil {
			t.Fatal(err)
		}
		for i, w := range reference.w {
			if math.Abs(float64(got[i])-w) > 2e-6 {
				t.Errorf("%s: weight %d is %g, want %g", name, i, got[i], w)
			}
		}
		o.free()
	}
}

// stepped does a step and waits for the gradient's norm.
func stepped(o *optimizer, number int, rate float64) (float64, error) {
	var n gradNorm
	o.step(number, rate, &n)
	return n.value(number)
}

func drawGradient(random *rand.Rand, n int, scale float64) ([]float32, []float64) {
	narrow, wide := make([]float32, n), make([]float64, n)
	for i := range narrow {
		narrow[i] = float32(scale * random.NormFloat64())
		wide[i] = float64(narrow[i])
	}
	return narrow, wide
}

// Without a gradient, decay alone moves the weights.
func TestOnlyMatricesDecay(t *testing.T) {
	dev := openCPU(t)
	spec := recipe.Train{WeightDecay: 0.5, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, MaxGradNorm: 1}
	set, reference := weighted(t, dev, spec)
	o, err := newOptimizer(dev, set, spec, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer o.free()
	if norm, err := stepped(o, 1, 0.1); norm != 0 || err != nil {
		t.Fatalf("norm %g, error %v", norm, err)
	}
	got := make([]float32, set.Count())
	if err := dev.DownloadF32(got, set.Value()); err != nil {
		t.Fatal(err)
	}
	for i, w := range reference.w {
		want := w
		if reference.decayed[i] {
			want = w * (1 - 0.1*0.5)
		}
		if math.Abs(float64(got[i])-want) > 1e-6 {
			t.Errorf("weight %d (decays: %v) went from %g to %g, want %g", i, reference.decayed[i], w, got[i], want)
		}
	}
}

func TestAGradientThatIsNotFiniteChangesNothing(t *testing.T) {
	for _, optimizer := range []string{"adamw", "adamw_bf16", "adamw_8bit"} {
		for _, bad := range []float64{math.NaN(), math.Inf(-1)} {
			dev := openCPU(t)
			spec := recipe.Train{WeightDecay: 0.5, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, Optimizer: optimizer}
			set, reference := weighted(t, dev, spec)
			o, err := newOptimizer(dev, set, spec, 0)
			if err != nil {
				t.Fatal(err)
			}
			grad := make([]float32, set.Count())
			grad[7] = float32(bad)
			dev.UploadF32(set.Grad, grad)
			_, err = stepped(o, 17, 0.1)
			if err == nil || !strings.HasPrefix(err.Error(), "step 17: the gradient is not finite") {
				t.Errorf("%g: error %v", bad, err)
			}
			requireUntouched(t, o, reference.w)
			o.free()
		}
	}
}

// requireUntouched wants the weights that are given, and no moments.
func requireUntouched(t *testing.T, o *optimizer, weights []float64) {
	t.Helper()
	got := make([]float32, len(weights))
	if err := o.dev.DownloadF32(got, o.params.Value()); err != nil {
		t.Fatal(err)
	}
	for i, w := range weights {
		if float64(got[i]) != w {
			t.Fatalf("weight %d went from %g to %g", i, w, got[i])
		}
	}
	for _, s := range o.states {
		for _, p := range s.moments.parts() {
			kept, err := p.download(o.dev)
			if err != nil {
				t.Fatal(err)
			}
			used := func(x float32) bool { return x != 0 }
			if slices.ContainsFunc(kept.Data, used) || slices.Max(append(kept.Raw, 0)) != 0 {
				t.Errorf("%s is not zero", p.name)
			}
		}
	}
}
