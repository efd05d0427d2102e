package model

import (
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A decoder is the Llama transformer: pre-norm blocks of causal attention with rotary positions and a gated
// feed-forward part.
type decoder struct {
	eps    float32
	heads  tensor.Heads
	embed  *tensor.Param
	layers []decoderLayer
	norm   *tensor.Param
}

type decoderLayer struct {
	attentionNorm *tensor.Param
	qkv, out      linear
	innerNorm     *tensor.Param
	gateUp, down  linear
}

func (l *layout) decoder(c Config) *decoder {
	padding := -1
	if c.PadTokenID != nil {
		padding = int(*c.PadTokenID)
	}
	d := &decoder{
		eps:   float32(c.RMSNormEps),
		heads: tensor.Heads{Query: c.NumAttentionHeads, KV: c.NumKeyValueHeads, Dim: c.HeadDim, Causal: true},
		embed: l.table(l.prefix+"embed_tokens.weight", c.VocabSize, c.HiddenSize, padding),
	}
	for i := range c.NumHiddenLayers {
		d.layers = append(d.layers, l.decoderLayer(fmt.Sprintf("%slayers.%d.", l.prefix, i), c))
	}
	d.norm = l.vector(l.prefix+"norm.weight", c.HiddenSize, ones)
	return d
}

func (l *layout) decoderLayer(prefix string, c Config) decoderLayer {
	attention, mlp := prefix+"self_attn.", prefix+"mlp."
	queries, keys := c.NumAttentionHeads*c.HeadDim, c.NumKeyValueHeads*c.HeadDim
	return decoderLayer{
		attentionNorm: l.vector(prefix+"input_layernorm.weight", c.HiddenSize, ones),
		qkv: l.linear(attention+"qkv_proj", c.HiddenSize, c.AttentionBias,
			slice{attention + "q_proj", queries}, slice{attention + "k_proj", keys}, slice{attention + "v_proj", keys}),
		out:       l.linear(attention+"o_proj", queries, c.AttentionBias, slice{attention + "o_proj", c.HiddenSize}),
		innerNorm: l.vector(prefix+"post_attention_layernorm.weight", c.HiddenSize, ones),
		gateUp: l.linear(mlp+"gate_up_proj", c.HiddenSize, c.MLPBias,
			slice{mlp + "gate_proj", c.IntermediateSize}, slice{mlp + "up_proj", c.IntermediateSize}),
		down: l.linear(mlp+"down_proj", c.IntermediateSize, c.MLPBias, slice{mlp + "down_proj", c.HiddenSize}),
	}
}

// attend turns the queries, keys and values of a layer into what its heads read.
type attend func(layer int, qkv *tensor.Tensor) *tensor.Tensor

// layer runs one layer on x.
type layer func(i int, x *tensor.Tensor) *tensor.Tensor

func (d *decoder) hidden(t *tensor.Tape, ids *tensor.Ints, layer layer) *tensor.Tensor {
	mark := t.Mark()
	x := t.Embed(d.embed, ids)
	for i := range d.layers {
		x = layer(i, x)
		t.Release(mark, x)
	}
	y := t.RMSNorm(x, d.norm, d.eps)
	t.Release(mark, y)
	return y
}

// Run implements tensor.Block.
func (d *decoder) Run(t *tensor.Tape, layer int, x *tensor.Tensor, p tensor.Packing) *tensor.Tensor {
	return d.block(t, layer, x, func(_ int, qkv *tensor.Tensor) *tensor.Tensor {
		return t.Attention(t.RoPE(qkv, d.heads, p.Rotary), d.heads, p.Segments)
	})
}

func (d *decoder) block(t *tensor.Tape, i int, x *tensor.Tensor, attend attend) *tensor.Tensor {
	l := &d.layers[i]
	heads := attend(i, l.qkv.apply(t, t.RMSNorm(x, l.attentionNorm, d.eps)))
	x = l.out.addTo(t, x, heads)
	inner := t.SwiGLU(l.gateUp.apply(t, t.RMSNorm(x, l.innerNorm, d.eps)))
	return l.down.addTo(t, x, inner)
}

var _ tensor.Block = (*decoder)(nil)
