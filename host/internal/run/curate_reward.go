package run

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// reward judges answers: both of a pair, or the last of a dialogue. The rewards become scores, NaN where the plugin
// abstained. All answers and judgements are kept in samples-<step>.jsonl.
func (c *curation) reward(ctx context.Context, step recipe.Step) error {
	samples, err := c.samples()
	if err != nil {
		return err
	}
	court, err := c.openCourt(ctx, seat{c.stage, c.step, step.Reward}, 0, len(c.kept))
	if err != nil {
		return err
	}
	lines, err := c.judge(ctx, court, samples)
	if err := court.close(err); err != nil {
		return err
	}
	c.sieve(step, func(i int, r *data.Record) *drop { return lines[i].score(step.Reward, r) })
	return writeItems(filepath.Join(c.dir, stepSamples(c.step)), lines)
}

// stepSamples is the file of the answers and judgements of a step, counted from 1.
func stepSamples(step int) string { return fmt.Sprintf("samples-%d.jsonl", step) }

// judge goes through the records batch by batch. A batch keeps all instances of the plugin busy.
func (c *curation) judge(ctx context.Context, court *court, samples [][]sdk.Sample) (lines []judgedPrompt, err error) {
	size := max(1, c.recipe.Plugins[court.seat.plugin].Limits.Batch) * runtime.GOMAXPROCS(0)
	for court.done < court.total {
		end, err := court.next(ctx, size)
		if err != nil {
			return nil, err
		}
		var batch []sdk.Sample
		counts := make([]int, end-court.done)
		for i, answers := range samples[court.done:end] {
			batch, counts[i] = append(batch, answers...), len(answers)
		}
		judgements, err := court.reward(ctx, batch, counts)
		if err != nil {
			return nil, err
		}
		for _, answers := range samples[court.done:end] {
			n := len(answers)
			lines = append(lines, judged(answers, judgements[:n], court.judge.Digest()))
			judgements = judgements[n:]
		}
		court.done = end
	}
	return lines, nil
}

// score gives a record the rewards of its answers, or takes it out when the plugin failed on one of them.
func (j *judgedPrompt) score(plugin string, r *data.Record) *drop {
	rewards := make([]float32, len(j.Answers))
	for i := range j.Answers {
		rewards[i] = float32(j.Answers[i].judgement().Reward)
	}
	if len(rewards) == 1 {
		r.Scores[plugin+".reward"] = rewards[0]
	} else {
		r.Scores[plugin+".chosen"], r.Scores[plugin+".rejected"] = rewards[0], rewards[1]
		r.Scores[plugin+".margin"] = rewards[0] - rewards[1]
	}
	for i := range j.Answers {
		judgement := j.Answers[i].judgement()
		if d := fault(judgement.Status, judgement.Detail); d != nil {
			return d
		}
	}
	return nil
}

// samples lays out the answers of the records that are to be judged: two of pairs, one of dialogues.
func (c *curation) samples() ([][]sdk.Sample, error) {
	all := make([][]sdk.Sample, len(c.kept))
	for i, r := range c.kept {
		var err error
		if all[i], err = samplesOf(r); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func samplesOf(r *data.Record) ([]sdk.Sample, error) {
	if r.Kind() == data.KindPair {
		return []sdk.Sample{{ID: r.ID, History: r.Prompt, Response: r.Chosen},
			{ID: r.ID, History: r.Prompt, Response: r.Rejected}}, nil
	}
	last := len(r.Turns) - 1
	if last < 1 || r.Turns[last].Role != sdk.RoleAssistant {
		return nil, fmt.Errorf("%s:%d: the dialogue does not end with an answer", r.File, r.Line)
	}
	return []sdk.Sample{{ID: r.ID, History: r.Turns[:last], Response: r.Turns[last].Text}}, nil
}
