package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A shape is a language model and the batch it learns: Batch sequences of Length tokens.
type shape struct {
	Layers int `json:"layers,omitempty"`
	Width  int `json:"width,omitempty"`
	Heads  int `json:"heads,omitempty"`
	KV     int `json:"kv,omitempty"` // heads of keys and values; 0 is as many as queries
	Inner  int `json:"inner,omitempty"`
	Vocab  int `json:"vocab,omitempty"`
	Length int `json:"length,omitempty"`
	Batch  int `json:"batch,omitempty"`

	Tied bool `json:"tied,omitempty"` // the head is the table of embeddings
}

func (s shape) tokens() int { return s.Batch * s.Length }

func (s shape) String() string {
	return fmt.Sprintf("%d layers, d=%d, V=%d, T=%d, batch %d", s.Layers, s.Width, s.Vocab, s.Length, s.Batch)
}

// llama is the shape as a decoder. context is the longest sequence.
func (s shape) llama(context int) model.Config {
	r := recipe.Model{Arch: model.Llama, Layers: s.Layers, Hidden: s.Width, Heads: s.Heads, KVHeads: cmp.Or(s.KV, s.Heads),
		Inner: s.Inner, Context: context, RopeTheta: 1e4, TieEmbedding: &s.Tied}
	return model.ConfigFromRecipe(r, s.Vocab, model.Special{PAD: -1, BOS: -1, EOS: -1}).WithHead(model.HeadLM)
}

// input is random tokens in equal sequences, and their targets.
func (s shape) input() (in model.Input, targets []int32) {
	random := rand.New(rand.NewPCG(1, 2))
	draw := func() []int32 {
		ids := make([]int32, s.tokens())
		for i := range ids {
			ids[i] = random.Int32N(int32(s.Vocab))
		}
		return ids
	}
	return model.Input{Tokens: draw(), Offsets: s.offsets()}, draw()
}

func (s shape) offsets() []int32 {
	var bounds []int32
	for i := range s.Batch + 1 {
		bounds = append(bounds, int32(i*s.Length))
	}
	return bounds
}

// trainer is a Llama-class model of the shape on random tokens.
func (s shape) trainer(dev accelerators.Device) (*trainer, error) {
	m, err := model.New(dev, s.llama(s.Length), model.HeadLM, 1)
	if err != nil {
		return nil, err
	}
	in, targets := s.input()
	return newTrainer(dev, m.Params(), s.tokens(), func(t *tensor.Tape, gradient []float32) *tensor.Tensor {
		return m.LearnTokens(t, m.Hidden(t, in), targets, gradient)
	}, m.Close)
}

// flops is what one step computes: products and causal attention, forward and backward.
func (s shape) flops() float64 {
	return s.llama(s.Length).FlopsPerToken(s.Length) * float64(s.tokens())
}
