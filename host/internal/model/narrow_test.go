package model

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators/acceltest/narrow"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// Whole models on activations in BF16: gradients differ from those in F32 by what rounding does, a wrong or missing
// term would show at their own size.
func TestGradientsOfActivationsInBF16AreNearThoseInF32(t *testing.T) {
	want, got := tasks(t, openCPU(t)), tasks(t, narrow.New(openCPU(t)), BF16())
	for name, k := range got {
		all, exact := k.gradients(t, 4), want[name].gradients(t, 4)
		for _, p := range k.m.set.All() {
			at := func(x []float32) []float32 { return x[p.Off : p.Off+p.Size()] }
			if off := distance(at(all), at(exact)); off > 0.1 {
				t.Errorf("%s: the gradient of %s is %.3f of its size off", name, p.Name, off)
			}
		}
		if cmp.Equal(all, exact) {
			t.Errorf("%s: nothing was rounded", name)
		}
	}
}

// distance is that between two vectors, as a share of the second, to which a little is added.
func distance(x, y []float32) float64 {
	off, size := 0.0, 1e-3
	for i := range x {
		off += math.Pow(float64(x[i]-y[i]), 2)
		size += math.Pow(float64(y[i]), 2)
	}
	return math.Sqrt(off / size)
}

// Keys and values lie in BF16 in the cache as they do in a whole pass, so what is generated is the likeliest there too,
// or so near to it that roundings in another order decide.
func TestGenerationInBF16EqualsWholeForwardPasses(t *testing.T) {
	for _, modelType := range modelTypes() {
		if !architectures[modelType].decoder {
			continue
		}
		m, prompts := talkerOn(t, narrow.New(openCPU(t)), modelType, BF16())
		same, all := 0, 0
		for i, answer := range generate(t, m, prompts, Generation{MaxTokens: 6, Stop: []int32{}}) {
			tokens := prompts[i]
			for _, id := range answer {
				logits := nextLogits(t, m, tokens)
				best := slices.Max(logits)
				if short := (best - logits[id]) / (best - slices.Min(logits)); short > 0.05 {
					t.Errorf("%s, prompt %d: token %d is %.3f below the likeliest", modelType, i, id, short)
				} else if short == 0 {
					same++
				}
				tokens, all = append(tokens[:len(tokens):len(tokens)], id), all+1
			}
		}
		if same*10 < all*9 {
			t.Errorf("%s: %d of %d tokens are the likeliest", modelType, same, all)
		}
	}
}

func TestAFrozenModelInBF16IsHalfAsLarge(t *testing.T) {
	c := tiny(Llama)
	whole := mustNew(t, openCPU(t), c, HeadLM, Frozen())
	half := mustNew(t, narrow.New(openCPU(t)), c, HeadLM, Frozen(), BF16())
	if got, want := half.set.Bytes(), whole.set.Bytes(); got > want*55/100 {
		t.Errorf("%d bytes in bf16, %d in f32", got, want)
	}
	tape := tensor.NewInference(half.dev, half.arena)
	defer tape.Reset()
	if half.Hidden(tape, Input{Tokens: []int32{1}, Offsets: []int32{0, 1}}); tape.Err() == nil {
		t.Error("a tape in f32 computed with weights in bf16")
	}
}

// What is merged into weights in BF16 is rounded once.
func TestAnAdapterIsMergedIntoWeightsInBF16(t *testing.T) {
	c, a := tiny(Llama), Adapter{Rank: 2, Alpha: 4, Targets: []string{AllLinear}, DoRA: true}
	dev := narrow.New(openCPU(t))
	trained := mustNew(t, dev, c, HeadLM, WithAdapter(a, 3), BF16())
	for _, p := range trained.Params().All() { // B as well, which begins as zeros
		dev.Fill(p.Update(), 0.05)
	}
	in := Input{Tokens: []int32{1, 5, 7, 2}, Offsets: []int32{0, 4}}
	want := forward(t, trained, hiddenAlone, in)
	merged := mustNew(t, dev, c, HeadLM, Frozen(), BF16())
	if err := merged.Merge(a, adapterOf(t, trained)); err != nil {
		t.Fatal(err)
	}
	if off := distance(forward(t, merged, hiddenAlone, in), want); off > 0.05 {
		t.Errorf("merged it gives results that are %.3f off", off)
	}
}

// adapterOf is the trained tensors of a model as a source.
func adapterOf(t *testing.T, m *Model) Source {
	t.Helper()
	all, err := m.Trained()
	if err != nil {
		t.Fatal(err)
	}
	s := stored{}
	for _, x := range all {
		s[x.Name] = x
	}
	return s
}
