// Package eval asks models: log-likelihoods, head outputs and embeddings for plugins (Served implements sdk.Model), perplexity,
// multiple choice, preference accuracy and agreement with ratings for evaluation stages.
package eval

import (
	"context"
	"slices"
	"sync"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

// tokensPerBatch bounds the tokens of one forward pass.
const tokensPerBatch = 4096

// Served is a model with its tokenizer, ready to answer. It is safe for concurrent use; requests wait for each other. An answer
// does not depend on what else is in its batch.
type Served struct {
	name  string
	model *model.Model
	tok   *tokenizer.Tokenizer
	dev   accelerators.Device
	arena *tensor.Arena
	mu    *sync.Mutex // of the device
}

// Serve wraps a model. All models on one device share its mutex.
func Serve(name string, m *model.Model, tok *tokenizer.Tokenizer, dev accelerators.Device, mu *sync.Mutex) *Served {
	return &Served{name: name, model: m, tok: tok, dev: dev, arena: tensor.NewArena(dev), mu: mu}
}

// Close frees the memory of the forward passes; the model is its owner's.
func (s *Served) Close() { s.arena.Free() }

// Tokenizer is the model's.
func (s *Served) Tokenizer() *tokenizer.Tokenizer { return s.tok }

// Use lends the model to f, alone on the device.
func (s *Served) Use(f func(m *model.Model) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f(s.model)
}

// Info implements sdk.Model.
func (s *Served) Info() sdk.ModelInfo {
	cfg := s.model.Config()
	info := sdk.ModelInfo{Name: s.name, MaxTokens: cfg.Context(), Hidden: cfg.HiddenSize}
	if s.model.Head() == model.HeadClassify {
		info.Outputs = cfg.NumLabels
	}
	return info
}

// batches cuts n sequences into runs of at most tokensPerBatch tokens, or single sequences, and calls each with [from,to).
func batches(ctx context.Context, n int, length func(int) int, each func(from, to int) error) error {
	for from := 0; from < n; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		to, tokens := from+1, length(from)
		for to < n && tokens+length(to) <= tokensPerBatch {
			tokens += length(to)
			to++
		}
		if err := each(from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// pack puts sequences one after the other.
func pack(sequences [][]int32) model.Input {
	in := model.Input{Offsets: []int32{0}}
	for _, ids := range sequences {
		for i, id := range ids {
			in.Tokens = append(in.Tokens, id)
			in.Positions = append(in.Positions, int32(i))
		}
		in.Offsets = append(in.Offsets, int32(len(in.Tokens)))
	}
	return in
}

// forward runs f on an inference tape, alone on the device, and downloads what it returns.
func (s *Served) forward(f func(t *tensor.Tape) *tensor.Tensor) ([]float32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tape := tensor.NewInference(s.dev, s.arena)
	tape.Compute = s.model.Compute()
	defer tape.Reset()
	return tape.Download(f(tape))
}

// perSequence runs f over all sequences in batches and appends the rows it gives, width values for each sequence. types
// are those of their tokens, or nil.
func (s *Served) perSequence(
	ctx context.Context, sequences, types [][]int32, f func(t *tensor.Tape, in model.Input) *tensor.Tensor,
) ([][]float64, error) {
	var rows [][]float64
	err := batches(ctx, len(sequences), func(i int) int { return len(sequences[i]) }, func(from, to int) error {
		in := pack(sequences[from:to])
		if types != nil {
			in.Types = slices.Concat(types[from:to]...)
		}
		values, err := s.forward(func(t *tensor.Tape) *tensor.Tensor { return f(t, in) })
		if err != nil {
			return err
		}
		width := len(values) / (to - from)
		for i := range to - from {
			rows = append(rows, widen(values[i*width:(i+1)*width]))
		}
		return nil
	})
	return rows, err
}

func widen(values []float32) []float64 {
	wide := make([]float64, len(values))
	for i, v := range values {
		wide[i] = float64(v)
	}
	return wide
}

var _ sdk.Model = (*Served)(nil)
