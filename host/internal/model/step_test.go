package model

import (
	"math/rand/v2"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// BenchmarkTrainingStep is forward and backward pass of a small decoder over 2048 tokens in sequences of 256.
func BenchmarkTrainingStep(b *testing.B) {
	r := recipe.Model{Arch: Llama, Layers: 6, Hidden: 256, Heads: 8, KVHeads: 4, Context: 512, RopeTheta: 1e4}
	c := ConfigFromRecipe(r, 8192, Special{PAD: 0, BOS: 1, EOS: 2})
	dev := openCPU(b)
	m := mustNew(b, dev, c, HeadLM)
	in := randomInput(rand.New(rand.NewPCG(1, 2)), c.VocabSize, 256, 256, 256, 256, 256, 256, 256, 256)
	seed, next := make([]float32, len(in.Tokens)), targets(in)
	for i := range seed {
		seed[i] = 1 / float32(len(seed))
	}
	arena := tensor.NewArena(dev)
	tape := tensor.NewTape(dev, arena)
	for b.Loop() {
		m.set.ZeroGrad(dev)
		m.LearnTokens(tape, m.Hidden(tape, in), next, seed)
		if err := tape.Backward(); err != nil {
			b.Fatal(err)
		}
		tape.Reset()
	}
	b.ReportMetric(float64(len(in.Tokens)*b.N)/b.Elapsed().Seconds(), "tokens/s")
	b.ReportMetric(float64(arena.Peak())/1e6, "activation-MB")
	b.ReportMetric(m.cfg.FlopsPerToken(256)*float64(len(in.Tokens)*b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
