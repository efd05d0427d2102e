package model

// Parameters is the number of weights, counting a tied one once. The configuration must be valid.
func (c Config) Parameters() int64 {
	var n int64
	for _, p := range c.mustDeclare().parts {
		n += int64(p.size())
	}
	return n
}

// FlopsPerToken is the floating-point operations of forward and backward pass for one token in sequences of the given
// length: six for every weight of a matrix multiplication, the language-model head included, and those of attention, of
// which causal attention needs half. Embeddings, norms and activations are not counted, as is usual (Kaplan et al.
// 2020).
func (c Config) FlopsPerToken(length int) float64 {
	m := c.mustDeclare()
	weights := 0.0
	for _, p := range m.parts {
		if p.param.Decay && !p.head {
			weights += float64(p.size())
		}
	}
	if m.ends.lm != nil && c.TieWordEmbeddings {
		weights += float64(c.VocabSize) * float64(c.HiddenSize)
	}
	attention := 12 * float64(c.NumHiddenLayers) * float64(length) * float64(c.NumAttentionHeads*c.headDim())
	if m.decoder != nil {
		attention /= 2
	}
	return 6*weights + attention
}

func (c Config) headDim() int {
	if c.arch().decoder {
		return c.HeadDim
	}
	return c.HiddenSize / c.NumAttentionHeads
}

func (c Config) mustDeclare() *Model {
	m, err := declare(c, c.Head(), options{})
	if err != nil {
		panic(err)
	}
	return m
}
