package eval

import (
	"context"
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/sdk"
)

// Answer lets the model answer multiple-choice questions in its own words: greedily, options listed, through the chat template.
// An answer has at most maxTokens tokens and half the model's context; a question that is too long loses its oldest tokens.
// The reference of each sample is the right letter.
func Answer(ctx context.Context, s *Served, questions []*data.Record, maxTokens int) ([]sdk.Sample, error) {
	limit := s.model.Config().Context()
	maxTokens = min(maxTokens, limit/2)
	samples := make([]sdk.Sample, len(questions))
	prompts := make([][]int32, len(questions))
	for i, q := range questions {
		samples[i], _ = Ask(q)
		ids, err := s.tok.Chat(samples[i].History, true)
		if err != nil {
			return nil, fmt.Errorf("answer question %d: %w", i, err)
		}
		prompts[i] = ids[max(0, len(ids)+maxTokens-limit):]
	}
	answers, err := s.Generate(ctx, prompts, model.Generation{MaxTokens: maxTokens}, nil)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	for i, ids := range answers {
		samples[i].Response = s.tok.Decode(ids)
	}
	return samples, nil
}

// Generate continues prompts until the end-of-turn token, alone on the device. each, when not nil, sees every token as it comes.
func (s *Served) Generate(
	ctx context.Context, prompts [][]int32, g model.Generation, each func(sequence int, id int32),
) ([][]int32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g.Stop = slices.Concat(g.Stop, s.Ends())
	return s.model.Generate(ctx, prompts, g, each)
}

// Ends are the tokens that end an answer.
func (s *Served) Ends() (ids []int32) {
	for _, end := range []func() (int32, bool){s.tok.EOS, s.tok.EndOfTurn} {
		if id, ok := end(); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
