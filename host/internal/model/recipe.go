package model

import (
	"cmp"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// Special are the token ids that a configuration names; a negative id is absent.
type Special struct{ PAD, BOS, EOS int32 }

// ConfigFromRecipe is the configuration of a new model that a recipe describes; what the recipe leaves out has the
// defaults that its keys document. Validate it before use.
func ConfigFromRecipe(r recipe.Model, vocab int, ids Special) Config {
	c := defaults(r.Arch)
	c.VocabSize, c.HiddenSize, c.NumHiddenLayers, c.NumAttentionHeads = vocab, r.Hidden, r.Layers, r.Heads
	c.NumLabels = max(r.Outputs, 1)
	c.InitializerRange = cmp.Or(r.InitRange, c.InitializerRange)
	c.PadTokenID, c.BosTokenID, c.EosTokenID = present(ids.PAD), present(ids.BOS), nil
	if ids.EOS >= 0 {
		c.EosTokenID = TokenIDs{ids.EOS}
	}
	if c.arch().decoder {
		c.fromDecoderRecipe(r)
	} else {
		c.fromEncoderRecipe(r)
	}
	return c
}

func (c *Config) fromDecoderRecipe(r recipe.Model) {
	c.RMSNormEps = 1e-5
	c.NumKeyValueHeads = r.KVHeads
	c.fillHeads()
	c.IntermediateSize = r.Inner
	if r.Inner == 0 {
		c.IntermediateSize = (8*r.Hidden/3 + 31) / 32 * 32
	}
	c.MaxPositionEmbeddings = r.Context
	c.RopeTheta = r.RopeTheta
	c.TieWordEmbeddings = r.TieEmbedding == nil || *r.TieEmbedding
}

func (c *Config) fromEncoderRecipe(r recipe.Model) {
	c.LayerNormEps = 1e-5
	c.IntermediateSize = r.Inner
	if r.Inner == 0 {
		c.IntermediateSize = 4 * r.Hidden
	}
	c.MaxPositionEmbeddings = r.Context + c.firstPosition()
	if r.Arch == Roberta {
		c.TypeVocabSize = 1
	}
}

func present(id int32) *int32 {
	if id < 0 {
		return nil
	}
	return &id
}
