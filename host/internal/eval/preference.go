package eval

import (
	"context"
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/sdk"
)

// MeasurePreference is the share of pairs in which the chosen answer wins. A model with a head rewards both answers; the
// reference plays no part. A language model compares their log-probabilities, less those under the reference when there is one
// (the implicit reward of DPO, Rafailov et al. 2023, section 4); without a reference the mean per token counts, since sums
// prefer the shorter answer.
func MeasurePreference(ctx context.Context, s, reference *Served, pairs []*data.Record) (Accuracy, error) {
	scores, err := s.preferenceScores(ctx, pairs, reference == nil)
	if err != nil {
		return Accuracy{}, fmt.Errorf("preferences: %w", err)
	}
	if reference != nil && s.model.Head() == model.HeadLM {
		base, err := reference.preferenceScores(ctx, pairs, false)
		if err != nil {
			return Accuracy{}, fmt.Errorf("preferences under the reference: %w", err)
		}
		for i := range scores {
			scores[i] -= base[i]
		}
	}
	a := Accuracy{Items: len(pairs), Chance: 0.5}
	for i := range pairs {
		if scores[2*i] > scores[2*i+1] {
			a.Correct++
		}
	}
	a.Share = float64(a.Correct) / float64(max(1, a.Items))
	return a, nil
}

// preferenceScores gives 2i the chosen and 2i+1 the rejected answer of pair i.
func (s *Served) preferenceScores(ctx context.Context, pairs []*data.Record, perToken bool) ([]float64, error) {
	if s.model.Head() == model.HeadClassify {
		return s.rewards(ctx, pairs)
	}
	var requests []sdk.LogLikRequest
	for _, p := range pairs {
		requests = append(requests, sdk.LogLikRequest{Context: p.Prompt, Continuation: p.Chosen},
			sdk.LogLikRequest{Context: p.Prompt, Continuation: p.Rejected})
	}
	answers, err := s.LogLik(ctx, requests)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(answers))
	for i, a := range answers {
		scores[i] = a.LogProb
		if perToken {
			scores[i] /= float64(max(1, a.Tokens))
		}
	}
	return scores, nil
}

func (s *Served) rewards(ctx context.Context, pairs []*data.Record) ([]float64, error) {
	var texts [][]sdk.Turn
	for _, p := range pairs {
		texts = append(texts, answered(p.Prompt, p.Chosen), answered(p.Prompt, p.Rejected))
	}
	rows, err := s.Score(ctx, texts)
	if err != nil {
		return nil, err
	}
	scores := make([]float64, len(rows))
	for i, row := range rows {
		scores[i] = row[0]
	}
	return scores, nil
}

func answered(prompt []sdk.Turn, answer string) []sdk.Turn {
	return append(prompt[:len(prompt):len(prompt)], sdk.Turn{Role: sdk.RoleAssistant, Text: answer})
}
