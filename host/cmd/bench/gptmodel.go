package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A gptBlock is the parameters of one block.
type gptBlock struct {
	norm1, bias1, qkv, qkvBias, out, outBias *tensor.Param
	norm2, bias2, up, upBias, down, downBias *tensor.Param
}

// A gptModel is the parameters of GPT-2.
type gptModel struct {
	shape
	tokens, positions, norm, bias *tensor.Param
	blocks                        []gptBlock
}

func (s shape) gptModel(set *tensor.ParamSet) *gptModel {
	c := s.Width
	add := func(name string, shape ...int) *tensor.Param { return set.Add(name, shape, len(shape) == 2) }
	g := &gptModel{shape: s, tokens: add("wte", s.Vocab, c), positions: add("wpe", s.Length, c)}
	g.norm, g.bias = add("lnf", c), add("lnfb", c)
	for i := range s.Layers {
		part := func(name string, shape ...int) *tensor.Param { return add(fmt.Sprintf("%d.%s", i, name), shape...) }
		g.blocks = append(g.blocks, gptBlock{
			part("ln1", c), part("ln1b", c), part("qkv", 3*c, c), part("qkvb", 3*c), part("out", c, c), part("outb", c),
			part("ln2", c), part("ln2b", c),
			part("up", s.Inner, c), part("upb", s.Inner), part("down", c, s.Inner), part("downb", c),
		})
	}
	return g
}

// learn is the loss of each token.
func (g *gptModel) learn(t *tensor.Tape, ids, positions, targets, offsets []int32, gradient []float32) *tensor.Tensor {
	const eps = 1e-5
	h := tensor.Heads{Query: g.Heads, KV: g.Heads, Dim: g.Width / g.Heads, Causal: true}
	seg := t.Segments(offsets)
	x := t.Add(t.Embed(g.tokens, t.Ints(ids)), t.Embed(g.positions, t.Ints(positions)))
	for _, b := range g.blocks {
		y := t.Linear(t.LayerNorm(x, b.norm1, b.bias1, eps), b.qkv, b.qkvBias)
		x = t.LinearAdd(x, t.Attention(y, h, seg), b.out, b.outBias)
		y = t.GELU(t.Linear(t.LayerNorm(x, b.norm2, b.bias2, eps), b.up, b.upBias))
		x = t.LinearAdd(x, y, b.down, b.downBias)
	}
	return t.HeadLearn(t.LayerNorm(x, g.norm, g.bias, eps), g.tokens, t.Ints(targets), gradient, 0)
}

// gpt2 is a trainer of the shape as GPT-2 on random tokens.
func (s shape) gpt2(dev accelerators.Device) (*trainer, error) {
	set := &tensor.ParamSet{}
	g := s.gptModel(set)
	if err := set.Alloc(dev, tensor.Trained); err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(3, 4))
	for _, p := range set.All() {
		host := make([]float32, p.Size())
		for i := range host {
			host[i] = float32(0.02 * random.NormFloat64())
		}
		dev.UploadF32(p.Update(), host)
	}
	in, targets := s.input()
	positions := make([]int32, s.tokens())
	for i := range positions {
		positions[i] = int32(i % s.Length)
	}
	return newTrainer(dev, set, s.tokens(), func(t *tensor.Tape, gradient []float32) *tensor.Tensor {
		return g.learn(t, in.Tokens, positions, targets, in.Offsets, gradient)
	}, func() { set.Free(dev) })
}
