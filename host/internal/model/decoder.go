package model

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A decoder is the Llama transformer: pre-norm blocks of causal attention with rotary positions and a gated
// feed-forward part.
type decoder struct {
	gemma  bool
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
	behind        *outerNorms
}

// headNorms are the norms of queries and keys.
type headNorms struct{ query, key tensor.Norm }

// outerNorms are Gemma's norms of what attention and feed-forward part add.
type outerNorms struct{ attention, inner tensor.Norm }

func (l *layout) decoder(c Config) *decoder {
	padding := -1
	if c.PadTokenID != nil {
		padding = int(*c.PadTokenID)
	}
	d := &decoder{
		heads: tensor.Heads{Query: c.NumAttentionHeads, KV: c.NumKeyValueHeads, Dim: c.HeadDim, Causal: true},
		embed: l.table(l.prefix+"embed_tokens.weight", c.VocabSize, c.HiddenSize, padding),
	}
	d.gemma = c.arch().gemma
	if d.gemma {
		d.heads.Scale, d.heads.Cap = float32(1/math.Sqrt(c.QueryPreAttnScalar)), float32(c.AttentionLimit)
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
		out: l.linear(attention+"o_proj", queries, biased, slice{attention + "o_proj", c.HiddenSize}),
		gateUp: l.linear(mlp+"gate_up_proj", c.HiddenSize, mlpBiased,
			slice{mlp + "gate_proj", c.IntermediateSize}, slice{mlp + "up_proj", c.IntermediateSize}),
		down: l.linear(mlp+"down_proj", c.IntermediateSize, mlpBiased, slice{mlp + "down_proj", c.HiddenSize}),
	}
	if arch.headNorms {
		layer.headNorms = &headNorms{
			l.rmsNorm(attention+"q_norm", c.HeadDim, c), l.rmsNorm(attention+"k_norm", c.HeadDim, c),
		}
	}
	between := l.rmsNorm(prefix+"post_attention_layernorm", c.HiddenSize, c)
	if !arch.gemma {
		layer.innerNorm = between
		return layer
	}
	layer.innerNorm = l.rmsNorm(prefix+"pre_feedforward_layernorm", c.HiddenSize, c)
	layer.behind = &outerNorms{between, l.rmsNorm(prefix+"post_feedforward_layernorm", c.HiddenSize, c)}
	return layer
}

// rmsNorm declares a norm; name is without ".weight".
func (l *layout) rmsNorm(name string, n int, c Config) tensor.Norm {
	start := ones
	if c.arch().gemma {
		start = zeros
	}
	return tensor.Norm{Weight: l.vector(name+".weight", n, start), Eps: float32(c.RMSNormEps), FromOne: c.arch().gemma}
}

// attend turns the rotated queries and keys, and the values, of a layer into what its heads read.
type attend func(layer int, qkv *tensor.Tensor, h tensor.Heads) *tensor.Tensor

// layer runs one layer on x.
type layer func(i int, x *tensor.Tensor) *tensor.Tensor

func (d *decoder) hidden(t *tensor.Tape, ids *tensor.Ints, layer layer) *tensor.Tensor {
	mark := t.Mark()
	x := t.Embed(d.embed, ids)
	if d.gemma {
		x = t.Scale(x, float32(math.Sqrt(float64(x.Cols))))
	}
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
	l, h, rotary := &d.layers[i], d.heads, p.Rotary
	if l.window > 0 {
		h.Window, rotary = l.window, p.Local
	}
	qkv := l.qkv.apply(t, t.RMSNorm(x, l.attentionNorm))
	if l.headNorms != nil {
		qkv = t.HeadNorm(qkv, h, l.headNorms.query, l.headNorms.key)
	}
	heads := attend(i, t.RoPE(qkv, h, rotary), h)
	if l.behind == nil {
		x = l.out.addTo(t, x, heads)
		return l.down.addTo(t, x, t.SwiGLU(l.gateUp.apply(t, t.RMSNorm(x, l.innerNorm))))
	}
	x = t.Add(x, t.RMSNorm(l.out.apply(t, heads), l.behind.attention))
	inner := t.GeGLU(l.gateUp.apply(t, t.RMSNorm(x, l.innerNorm)))
	return t.Add(x, t.RMSNorm(l.down.apply(t, inner), l.behind.inner))
}

var _ tensor.Block = (*decoder)(nil)
