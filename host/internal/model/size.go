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

// TrainBytes estimates the most memory that training takes when a forward pass has the given number of tokens: weights,
// gradients and two moments in float32, and the activations kept for the way back, which are counted from the
// operations of a block, with an eighth more for the sizes that the pool rounds up to. Scratch of the device is not
// included.
func (c Config) TrainBytes(tokens int) int64 {
	const float, states = 4, 4
	activations := int64(tokens) * c.floatsPerToken()
	if c.Head() == HeadLM {
		activations += int64(min(tokens, max(64, 16<<20/c.VocabSize)) * c.VocabSize) // the head's logits, a chunk at a time
	}
	return float * (states*c.Parameters() + activations + activations/8)
}

func (c Config) floatsPerToken() int64 {
	width, inner, layers := int64(c.HiddenSize), int64(c.IntermediateSize), int64(c.NumHiddenLayers)
	heads, dim := int64(c.NumAttentionHeads), int64(c.headDim())
	if c.ModelType == Llama {
		qkv := (heads + 2*int64(c.NumKeyValueHeads)) * dim
		block := 4*width + 2 + qkv + heads*(dim+1) + 3*inner // norms, sums; qkv; heads and lse; gate, up and product
		ends := 2*width + 3
		way := 3*width + 3*inner // gradients alive at once within a block
		return layers*block + ends + way
	}
	block := 4*width + 4 + 3*width + heads*(dim+1) + 2*inner
	ends := 6 * width
	way := 3*width + 2*inner
	return layers*block + ends + way
}

func (c Config) headDim() int {
	if c.ModelType == Llama {
		return c.HeadDim
	}
	return c.HiddenSize / c.NumAttentionHeads
}

func (c Config) mustDeclare() *Model {
	m, err := declare(c, c.Head())
	if err != nil {
		panic(err)
	}
	return m
}
