package eval

import (
	"context"
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/sdk"
)

// A Sampling says how several answers to each question are drawn.
type Sampling struct {
	Number      int // of answers to each question
	MaxTokens   int // of an answer
	Temperature float64
	TopP        float64
	Seed        uint64
}

// A Drawn answer is one of several to a question.
type Drawn struct {
	Text string
	Cut  bool // it had not ended when it reached MaxTokens
}

// Prompt is a conversation through the model's chat template, up to where the answer begins. ok is false when the model
// has no room for it and an answer of so many tokens.
func (s *Served) Prompt(history []sdk.Turn, answer int) (ids []int32, ok bool, err error) {
	ids, err = s.tok.Chat(history, true)
	cfg := s.model.Config()
	return ids, len(ids)+answer <= min(cfg.Context(), cfg.MaxPositionEmbeddings), err
}

// Draw answers each prompt o.Number times. First is the number of the first prompt among all that are drawn with the
// seed: an answer depends on its prompt, the seed and the prompt's number, not on what else is in the call.
func (s *Served) Draw(ctx context.Context, prompts [][]int32, first int, o Sampling) ([][]Drawn, error) {
	var each [][]int32
	for _, ids := range prompts {
		for range o.Number {
			each = append(each, ids)
		}
	}
	answers, err := s.Generate(ctx, each, model.Generation{
		MaxTokens: o.MaxTokens, Temperature: float32(o.Temperature), TopP: float32(o.TopP), Seed: o.Seed,
		First: first * o.Number,
	}, nil)
	if err != nil {
		return nil, fmt.Errorf("draw answers: %w", err)
	}
	all := make([][]Drawn, len(prompts))
	for i, ids := range answers {
		all[i/o.Number] = append(all[i/o.Number], Drawn{s.tok.Decode(ids), s.isCut(ids)})
	}
	return all, nil
}

// isCut reports whether an answer does not end with a token that ends answers.
func (s *Served) isCut(ids []int32) bool {
	for _, end := range s.Ends() {
		if ids[len(ids)-1] == end {
			return false
		}
	}
	return true
}
