package model

import (
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// An encoder is the BERT transformer: post-norm blocks of full attention, learned positions. Dropout is left out: what
// is computed is what transformers computes in evaluation mode, in training too.
type encoder struct {
	eps       float32
	heads     tensor.Heads
	words     *tensor.Param
	positions *tensor.Param
	types     *tensor.Param
	norm      layerNorm
	layers    []encoderLayer
}

type encoderLayer struct {
	qkv, out      linear
	attentionNorm layerNorm
	up, down      linear
	norm          layerNorm
}

type layerNorm struct{ weight, bias *tensor.Param }

func (n layerNorm) apply(t *tensor.Tape, x *tensor.Tensor, eps float32) *tensor.Tensor {
	return t.LayerNorm(x, n.weight, n.bias, eps)
}

func (l *layout) layerNorm(name string, n int) layerNorm {
	return layerNorm{l.vector(name+".weight", n, ones), l.vector(name+".bias", n, zeros)}
}

func (l *layout) encoder(c Config) *encoder {
	padding, positionPadding := -1, -1
	if c.PadTokenID != nil {
		padding = int(*c.PadTokenID)
	}
	if c.ModelType == Roberta {
		positionPadding = padding
	}
	at := l.prefix + "embeddings."
	heads := c.NumAttentionHeads
	e := &encoder{
		eps:       float32(c.LayerNormEps),
		heads:     tensor.Heads{Query: heads, KV: heads, Dim: c.HiddenSize / heads},
		words:     l.table(at+"word_embeddings.weight", c.VocabSize, c.HiddenSize, padding),
		positions: l.table(at+"position_embeddings.weight", c.MaxPositionEmbeddings, c.HiddenSize, positionPadding),
		types:     l.table(at+"token_type_embeddings.weight", c.TypeVocabSize, c.HiddenSize, -1),
		norm:      l.layerNorm(at+"LayerNorm", c.HiddenSize),
	}
	for i := range c.NumHiddenLayers {
		e.layers = append(e.layers, l.encoderLayer(fmt.Sprintf("%sencoder.layer.%d.", l.prefix, i), c))
	}
	return e
}

func (l *layout) encoderLayer(prefix string, c Config) encoderLayer {
	self, width := prefix+"attention.self.", c.HiddenSize
	return encoderLayer{
		qkv: l.linear(self+"qkv", width, true,
			slice{self + "query", width}, slice{self + "key", width}, slice{self + "value", width}),
		out:           l.dense(prefix+"attention.output.dense", width, width),
		attentionNorm: l.layerNorm(prefix+"attention.output.LayerNorm", width),
		up:            l.dense(prefix+"intermediate.dense", c.IntermediateSize, width),
		down:          l.dense(prefix+"output.dense", width, c.IntermediateSize),
		norm:          l.layerNorm(prefix+"output.LayerNorm", width),
	}
}

// hidden runs the encoder; positions and types are rows of their tables.
func (e *encoder) hidden(t *tensor.Tape, ids, positions, types *tensor.Ints, layer layer) *tensor.Tensor {
	mark := t.Mark()
	x := t.Add(t.Add(t.Embed(e.words, ids), t.Embed(e.types, types)), t.Embed(e.positions, positions))
	x = e.norm.apply(t, x, e.eps)
	t.Release(mark, x)
	for i := range e.layers {
		x = layer(i, x)
		t.Release(mark, x)
	}
	return x
}

// Run implements tensor.Block.
func (e *encoder) Run(t *tensor.Tape, layer int, x *tensor.Tensor, p tensor.Packing) *tensor.Tensor {
	l := &e.layers[layer]
	heads := t.Attention(l.qkv.apply(t, x), e.heads, p.Segments)
	x = l.attentionNorm.apply(t, l.out.addTo(t, x, heads), e.eps)
	inner := t.GELU(l.up.apply(t, x))
	return l.norm.apply(t, l.down.addTo(t, x, inner), e.eps)
}

var _ tensor.Block = (*encoder)(nil)
