package train

import (
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// Adapted are the options that a stage's model is opened with: what it computes in, an adapter drawn from the seed, and
// what its base is held in.
func Adapted(spec recipe.Train, seed uint64) (options []model.Option) {
	if spec.BF16 {
		options = append(options, model.BF16())
	}
	if spec.LoRA == nil {
		return options
	}
	options = append(options, model.WithAdapter(model.Adapter{
		Rank: spec.LoRA.Rank, Alpha: spec.LoRA.Alpha, Targets: spec.LoRA.Targets,
		RSLoRA: spec.LoRA.RSLoRA, DoRA: spec.LoRA.DoRA,
	}, seed))
	if BaseInNF4(spec) {
		options = append(options, model.NF4Base())
	}
	return options
}

// BaseInNF4 says whether the stage trains an adapter beside weights in 4 bits.
func BaseInNF4(spec recipe.Train) bool { return spec.LoRA != nil && spec.LoRA.Base == "nf4" }

// WeightsBase is the base name of the weight files in the stage's checkpoints: of a whole model, or of an adapter.
func WeightsBase(spec recipe.Train) string {
	if spec.LoRA != nil {
		return "adapter_model"
	}
	return "model"
}
