package model

import (
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A decoder is the Llama transformer: pre-norm blocks of causal attention with rotary positions and a gated
// feed-forward part.
type decoder struct {
	heads  tensor.Heads // of all layers but for the window
	embed  *tensor.Param
	layers []decoderLayer
	norm   tensor.Norm
}

type decoderLayer struct {
	window        int // how far back a token sees; 0 is everything
	attentionNorm tensor.Norm
	qkv, out      linear
	headNorms     *headNorms
	innerNorm     tensor.Norm
	gateUp, down  linear
}

// headNorms are the norms of queries and keys.
type headNorms struct{ query, key tensor.Norm }

func (l *layout) decoder(c Config) *decoder {
	padding := -1
	if c.PadTokenID != nil {
		padding = int(*c.PadTokenID)
	}
	d := &decoder{
		heads: tensor.Heads{Query: c.NumAttentionHeads, KV: c.NumKeyValueHeads, Dim: c.HeadDim, Causal: true},
		embed: l.table(l.prefix+"embed_tokens.weight", c.VocabSize, c.HiddenSize, padding),
	}
	for i := range c.NumHiddenLayers {
		layer := l.decoderLayer(fmt.Sprintf("%slayers.%d.", l.prefix, i), c)
		layer.window = c.window(i)
		d.layers = append(d.layers, layer)
	}
	d.norm = l.rmsNorm(l.prefix+"norm", c.HiddenSize, c)
	return d
}

func (l *layout) decoderLayer(prefix string, c Config) decoderLayer {
	attention, mlp, arch := prefix+"self_attn.", prefix+"mlp.", c.arch()
	queries, keys := c.NumAttentionHeads*c.HeadDim, c.NumKeyValueHeads*c.HeadDim
	mlpBiased := arch.mlpBias && c.MLPBias
	biased := arch.attentionBias && c.AttentionBias
	layer := decoderLayer{
		attentionNorm: l.rmsNorm(prefix+"input_layernorm", c.HiddenSize, c),
		qkv: l.linear(attention+"qkv_proj", c.HiddenSize, biased || arch.biasedQKV,
			slice{attention + "q_proj", queries}, slice{attention + "k_proj", keys}, slice{attention + "v_proj", keys}),
		out:       l.linear(attention+"o_proj", queries, biased, slice{attention + "o_proj", c.HiddenSize}),
		innerNorm: l.rmsNorm(prefix+"post_attention_layernorm", c.HiddenSize, c),
		gateUp: l.linear(mlp+"gate_up_proj", c.HiddenSize, mlpBiased,
			slice{mlp + "gate_proj", c.IntermediateSize}, slice{mlp + "up_proj", c.IntermediateSize}),
		down: l.linear(mlp+"down_proj", c.IntermediateSize, mlpBiased, slice{mlp + "down_proj", c.HiddenSize}),
	}
	if arch.headNorms {
		layer.headNorms = &headNorms{
			l.rmsNorm(attention+"q_norm", c.HeadDim, c), l.rmsNorm(attention+"k_norm", c.HeadDim, c),
		}
	}
	return layer
}

// rmsNorm declares a norm; name is without ".weight".
func (l *layout) rmsNorm(name string, n int, c Config) tensor.Norm {
	return tensor.Norm{Weight: l.vector(name+".weight", n, ones), Eps: float32(c.RMSNormEps)}
}

// attend turns the rotated queries and keys, and the values, of a layer into what its heads read.
type attend func(layer int, qkv *tensor.Tensor, h tensor.Heads) *tensor.Tensor

// layer runs one layer on x.
type layer func(i int, x *tensor.Tensor) *tensor.Tensor

func (d *decoder) hidden(t *tensor.Tape, ids *tensor.Ints, layer layer) *tensor.Tensor {
	mark := t.Mark()
	x := t.Embed(d.embed, ids)
	for i := range d.layers {
		x = layer(i, x)
		t.Release(mark, x)
	}
	y := t.RMSNorm(x, d.norm)
	t.Release(mark, y)
	return y
}

// Run implements tensor.Block.
func (d *decoder) Run(t *tensor.Tape, layer int, x *tensor.Tensor, p tensor.Packing) *tensor.Tensor {
	return d.block(t, layer, x, p, func(_ int, qkv *tensor.Tensor, h tensor.Heads) *tensor.Tensor {
		return t.Attention(qkv, h, p.Segments)
	})
}

func (d *decoder) block(t *tensor.Tape, i int, x *tensor.Tensor, p tensor.Packing, attend attend) *tensor.Tensor {
	l, h := &d.layers[i], d.heads
	h.Window = l.window
	qkv := l.qkv.apply(t, t.RMSNorm(x, l.attentionNorm))
	if l.headNorms != nil {
		qkv = t.HeadNorm(qkv, h, l.headNorms.query, l.headNorms.key)
	}
	heads := attend(i, t.RoPE(qkv, h, p.Rotary), h)
	x = l.out.addTo(t, x, heads)
	inner := t.SwiGLU(l.gateUp.apply(t, t.RMSNorm(x, l.innerNorm)))
	return l.down.addTo(t, x, inner)
}

var _ tensor.Block = (*decoder)(nil)
