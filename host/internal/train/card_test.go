package train

import (
	"math"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// oneCard is the memory of one H200, in GB.
const oneCard = 141

// bgeM3 is the encoder that rates documents.
func bgeM3() model.Config {
	return model.ConfigFromRecipe(recipe.Model{
		Arch: model.Roberta, Layers: 24, Hidden: 1024, Inner: 4096, Heads: 16, Context: 8192,
	}, 250002, model.Special{PAD: 1, BOS: 0, EOS: 2})
}

// The figures are GB: of weights with their copies in bf16, gradients, moments and activations.
func TestThePaperRecipeFitsOneCard(t *testing.T) {
	r, err := recipe.Load("../../../recipes/carebot-8b.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	lora := *r.Stages["sft"].Train
	lora.LoRA = &recipe.LoRA{Rank: 16, Alpha: 32, Targets: recipe.Fields{model.AllLinear}}
	wide := *r.Stages["stable"].Train
	wide.MicroBatchSize, wide.GradientCheckpointing = 8, true
	for _, s := range []struct {
		name string
		cfg  model.Config
		spec recipe.Train
		want [4]float64
	}{
		{"rate-model", bgeM3(), *r.Stages["rate-model"].Train, [4]float64{2.9, 2.3, 4.5, 13.4}},
		{"stable", llama8B(), *r.Stages["stable"].Train, [4]float64{47.1, 32.1, 34.2, 18.8}},
		{"stable, checkpointed, eight rows", llama8B(), wide, [4]float64{47.1, 32.1, 34.2, 16.4}},
		{"boost", llama8B(), *r.Stages["boost"].Train, [4]float64{47.1, 32.1, 34.2, 18.8}},
		{"sft", llama8B(), *r.Stages["sft"].Train, [4]float64{47.1, 32.1, 34.2, 18.8}},
		{"sft as LoRA", llama8B(), lora, [4]float64{16.3, 0.2, 0.2, 21}},
		{"dpo", llama8B(), *r.Stages["dpo"].Train, [4]float64{47.1, 32.1, 34.2, 18.8}},
	} {
		m, err := Footprint(true, s.cfg, s.spec)
		if err != nil {
			t.Fatal(err)
		}
		got := [4]float64{gigabytes(m.Weights), gigabytes(m.Gradients), gigabytes(m.Moments), gigabytes(m.Activations)}
		if got != s.want {
			t.Errorf("%s takes %v GB, want %v", s.name, got, s.want)
		}
		if total := gigabytes(m.Total()); total > oneCard {
			t.Errorf("%s takes %g GB, more than one card has", s.name, total)
		}
	}
}

// gigabytes are rounded to tenths.
func gigabytes(n int64) float64 { return math.Round(float64(n)/1e8) / 10 }
