package model

import (
	"math"
	"testing"
)

// llama8B is Llama-3-8B's configuration.
func llama8B() Config {
	c := defaults(Llama)
	c.VocabSize, c.HiddenSize, c.IntermediateSize, c.NumHiddenLayers = 128256, 4096, 14336, 32
	c.NumAttentionHeads, c.NumKeyValueHeads, c.HeadDim, c.MaxPositionEmbeddings = 32, 8, 128, 8192
	return c.WithHead(HeadLM)
}

func TestParametersAreThoseOfWellKnownModels(t *testing.T) {
	if got := llama8B().Parameters(); got != 8_030_261_248 {
		t.Errorf("Llama-3-8B has %d parameters", got)
	}
	base := defaults(Roberta)
	base.VocabSize, base.HiddenSize, base.IntermediateSize = 250002, 768, 3072
	base.NumHiddenLayers, base.NumAttentionHeads, base.MaxPositionEmbeddings = 12, 12, 514
	base.TypeVocabSize, base.NumLabels = 1, 1
	if got := base.WithHead(HeadNone).Parameters(); got != 277_453_056 {
		t.Errorf("XLM-RoBERTa base has %d parameters without pooler", got)
	}
	if got := base.WithHead(HeadClassify).Parameters(); got != 278_044_417 {
		t.Errorf("XLM-RoBERTa base has %d parameters with one output", got)
	}
	tied := llama8B()
	tied.TieWordEmbeddings = true
	if got := llama8B().Parameters() - tied.Parameters(); got != 128256*4096 {
		t.Errorf("tying saves %d parameters", got)
	}
}

func TestFlopsCountMultiplicationsAndAttention(t *testing.T) {
	const matrices = 32*(2*4096*4096+2*4096*1024+3*4096*14336) + 128256*4096
	for _, tie := range []bool{false, true} {
		c := llama8B()
		c.TieWordEmbeddings = tie
		if got, want := c.FlopsPerToken(2048), 6.0*matrices+6*32*2048*4096; math.Abs(got-want) > 1 {
			t.Errorf("tied %v: %g operations, want %g", tie, got, want)
		}
	}
}
