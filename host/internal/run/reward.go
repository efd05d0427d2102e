package run

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/sdk"
)

// A RewardFigure is the mean reward that a plugin gives a model's own answers. Abstained and faulty judgements are counted
// beside it, never as a reward.
type RewardFigure struct {
	Subject
	Plugin    string  `json:"plugin"`
	Mean      float64 `json:"mean"`
	Judged    int     `json:"judged"`
	Abstained int     `json:"abstained"`
	Faults    int     `json:"faults"`
}

// answerTokens bounds a generated answer.
const answerTokens = 64

// rewards lets the model answer the benchmarks' questions, greedily, and the reward plugins judge the answers.
func (e evaluation) rewards(ctx context.Context, m *served) (int, error) {
	n := 0
	for _, name := range e.spec.Rewards {
		judge, err := e.openPlugin(ctx, name)
		if err != nil {
			return n, err
		}
		judged, err := e.each(ctx, e.spec.Benchmarks, func(dataset string, records []*data.Record) error {
			return e.reward(ctx, m, name, judge, dataset, records)
		})
		n += judged
		if err = closing(judge, err); err != nil {
			return n, err
		}
	}
	return n, nil
}

func (e evaluation) reward(
	ctx context.Context, m *served, name string, judge *openedPlugin, dataset string, records []*data.Record,
) error {
	samples, err := eval.Answer(ctx, m.Served, records, answerTokens)
	if err != nil {
		return err
	}
	answers, err := judge.Reward(ctx, samples)
	if err != nil {
		return err
	}
	figure := RewardFigure{Subject: Subject{m.ref, dataset, ""}, Plugin: name}
	lines := make([]judgedPrompt, len(answers))
	for i, a := range answers {
		figure.add(a)
		lines[i] = judged(samples[i:i+1], answers[i:i+1], judge.Digest())
	}
	if figure.Judged > 0 {
		figure.Mean /= float64(figure.Judged)
	}
	e.out.Rewards = append(e.out.Rewards, figure)
	return writeItems(filepath.Join(e.dir, answersFile(m.ref, name, dataset)), lines)
}

// answersFile holds a model's answers to a benchmark and what a reward plugin gave them.
func answersFile(model, plugin, dataset string) string {
	return fmt.Sprintf("answers-%s-%s-%s.jsonl", model, plugin, dataset)
}

func (f *RewardFigure) add(j sdk.Judgement) {
	switch j.Status {
	case sdk.OK:
		f.Judged++
		f.Mean += j.Reward
	case sdk.Abstain:
		f.Abstained++
	default:
		f.Faults++
	}
}
