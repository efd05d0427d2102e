package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// samplesFile holds the prompts of a pairs stage with all answers and judgements. While the stage runs it is its
// progress.
const samplesFile = "samples.jsonl"

// pairing is a pairs stage on its way: the prompts that are asked, and what became of the other records.
type pairing struct {
	*Process
	outcome
	spec    *recipe.Pairs
	model   *served
	prompts []prompt
}

// A prompt is a record that can be asked. Its number among all prompts is what its random numbers depend on.
type prompt struct {
	record *data.Record
	sample sdk.Sample // without a response
	ids    []int32
}

// pairs lets a model answer prompts several times and makes a preference pair of the best and the worst answer to each.
func (p *Process) pairs(ctx context.Context, name, dir string, s *Summary) error {
	w := &pairing{Process: p, spec: p.recipe.Stages[name].Pairs}
	var err error
	if w.model, err = p.serve(w.spec.Model, w.spec.BF16); err != nil {
		return err
	}
	defer w.model.close()
	if err := w.ask(ctx); err != nil {
		return err
	}
	if err := w.judge(ctx, name, dir); err != nil {
		return err
	}
	return w.choose(dir, s)
}

// ask makes prompts of the records.
func (w *pairing) ask(ctx context.Context) error {
	for _, from := range w.spec.From {
		records, err := w.records(ctx, from)
		if err != nil {
			return err
		}
		w.in += len(records)
		for _, r := range records {
			if err := w.prompt(r); err != nil {
				return fmt.Errorf("%s:%d: %w", r.File, r.Line, err)
			}
		}
	}
	return nil
}

func (w *pairing) prompt(r *data.Record) error {
	sample, ok := eval.Ask(r)
	if !ok {
		w.take(r, drop{Reason: "it asks nothing"})
		return nil
	}
	ids, fits, err := w.model.Prompt(sample.History, w.spec.Tokens)
	switch {
	case err != nil:
		return err
	case fits:
		w.prompts = append(w.prompts, prompt{r, sample, ids})
	default:
		detail := fmt.Sprintf("%d tokens, and %d for an answer", len(ids), w.spec.Tokens)
		w.take(r, drop{Reason: "too long", Detail: detail})
	}
	return nil
}

// take notes what becomes of a record without a pair.
func (w *pairing) take(r *data.Record, d drop) { w.out(d.of(r, "pairs")) }

// judge goes on from the prompts that are in the samples' file, batch by batch.
func (w *pairing) judge(ctx context.Context, name, dir string) (err error) {
	log, done, err := openSampleLog(filepath.Join(dir, samplesFile))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.close()) }()
	if done > 0 {
		w.log.Info("resumed", "stage", name, "prompt", done)
	}
	court, err := w.openCourt(ctx, seat{name, 0, w.spec.Reward}, done, len(w.prompts))
	if err != nil {
		return err
	}
	if err := judgesInBatches(court.judge.Manifest()); err != nil {
		return court.close(fmt.Errorf("reward %s: %w", w.spec.Reward, err))
	}
	progress, finish := w.counter(name, len(w.prompts))
	defer finish()
	for court.done < court.total {
		end, err := court.next(ctx, w.spec.BatchSize)
		if err == nil {
			err = w.batch(ctx, court, log, end)
		}
		if err != nil {
			return court.close(err)
		}
		progress(court.done, court.rewards.value())
	}
	return court.close(nil)
}

// batch answers and judges the prompts up to end and keeps them.
func (w *pairing) batch(ctx context.Context, court *court, log *sampleLog, end int) error {
	prompts := w.prompts[court.done:end]
	answers, err := w.draw(ctx, prompts, court.done)
	if err != nil {
		return err
	}
	lines, counts := make([]judgedPrompt, len(prompts)), make([]int, len(prompts))
	var samples []sdk.Sample
	for i := range prompts {
		lines[i] = prompts[i].answered(answers[i], court.judge.Digest())
		more := lines[i].samples()
		samples, counts[i] = append(samples, more...), len(more)
	}
	judgements, err := court.reward(ctx, samples, counts)
	if err != nil {
		return err
	}
	for i := range lines {
		judgements = lines[i].take(judgements)
	}
	court.done = end
	return log.add(lines)
}

// draw answers prompts of which the first has this number.
func (w *pairing) draw(ctx context.Context, prompts []prompt, first int) ([][]eval.Drawn, error) {
	ids := make([][]int32, len(prompts))
	for i := range prompts {
		ids[i] = prompts[i].ids
	}
	return w.model.Draw(ctx, ids, first, eval.Sampling{
		Number: w.spec.N, MaxTokens: w.spec.Tokens,
		Temperature: w.spec.Temperature, TopP: w.spec.TopP, Seed: w.recipe.Seed,
	})
}

// answered puts a prompt and its answers together, which are to be judged unless they say nothing or nothing new.
func (p *prompt) answered(answers []eval.Drawn, by string) judgedPrompt {
	j := newJudged(p.sample, by)
	seen := map[string]bool{}
	for _, a := range answers {
		answer := judgedAnswer{Text: a.Text, Cut: a.Cut}
		switch {
		case strings.TrimSpace(a.Text) == "":
			answer.Status = statusEmpty
		case seen[a.Text]:
			answer.Status = statusDuplicate
		}
		seen[a.Text] = true
		j.Answers = append(j.Answers, answer)
	}
	return j
}

// take gives the answers that are judged the first judgements and returns the rest.
func (j *judgedPrompt) take(judgements []sdk.Judgement) (rest []sdk.Judgement) {
	for i := range j.Answers {
		if a := &j.Answers[i]; a.isJudged() {
			a.take(judgements[0])
			judgements = judgements[1:]
		}
	}
	return judgements
}
