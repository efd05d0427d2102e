package run

import (
	"context"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// curation is a curate stage on its way; kept are the records that are left.
type curation struct {
	*Process
	outcome
	stage, dir string
	step       int // that is being done, counted from 1
}

func (p *Process) curate(ctx context.Context, name, dir string, s *Summary) error {
	spec := p.recipe.Stages[name].Curate
	var records []*data.Record
	for _, from := range spec.From {
		more, err := p.records(ctx, from)
		if err != nil {
			return err
		}
		records = append(records, more...)
	}
	c := &curation{Process: p, stage: name, dir: dir, outcome: outcome{in: len(records), kept: clone(records)}}
	for i, step := range spec.Steps {
		c.step = i + 1
		if err := c.do(ctx, step); err != nil {
			return fmt.Errorf("step %d (%s): %w", c.step, stepName(step), err)
		}
	}
	s.Unit = "records"
	return c.outcome.write(dir, s)
}

// clone copies the records, whose scores and turns the steps will change.
func clone(records []*data.Record) []*data.Record {
	all := make([]*data.Record, len(records))
	for i, r := range records {
		again := *r
		again.Scores = make(map[string]float32, len(r.Scores))
		for name, v := range r.Scores {
			again.Scores[name] = v
		}
		all[i] = &again
	}
	return all
}

func stepName(step recipe.Step) string {
	switch {
	case step.Dedup != nil:
		return "dedup"
	case step.Score != "":
		return "score: " + step.Score
	case step.Filter != "":
		return "filter: " + step.Filter
	case step.Reward != "":
		return "reward: " + step.Reward
	}
	return "keep: " + step.Keep
}

func (c *curation) do(ctx context.Context, step recipe.Step) error {
	switch {
	case step.Dedup != nil:
		c.dedup(step)
		return nil
	case step.Score != "":
		return c.plugin(ctx, step.Score, step, c.score)
	case step.Filter != "":
		return c.plugin(ctx, step.Filter, step, c.filter)
	case step.Reward != "":
		return c.reward(ctx, step)
	}
	return c.keep(step)
}

// plugin opens a plugin for one step.
func (c *curation) plugin(
	ctx context.Context, name string, step recipe.Step, do func(context.Context, recipe.Step, *openedPlugin) error,
) error {
	p, err := c.openPlugin(ctx, name)
	if err != nil {
		return err
	}
	return closing(p, do(ctx, step, p))
}

func (c *curation) dedup(step recipe.Step) {
	seen := data.NewSeen(*step.Dedup.Normalize)
	c.sieve(step, func(_ int, r *data.Record) *drop {
		first, again := seen.Add(r)
		if !again {
			return nil
		}
		return &drop{Reason: "duplicate", Detail: "of " + first}
	})
}

func (c *curation) keep(step recipe.Step) error {
	expr, err := data.ParseExpr(step.Keep)
	if err != nil {
		return err
	}
	holds, err := expr.Bind(c.kept)
	if err != nil {
		return err
	}
	c.sieve(step, func(_ int, r *data.Record) *drop {
		if holds(r) {
			return nil
		}
		return &drop{Reason: "not kept"}
	})
	return nil
}

// sieve takes out the records for which judge returns a drop; i is their place among the records.
func (c *curation) sieve(step recipe.Step, judge func(i int, r *data.Record) *drop) {
	left := c.kept[:0:0]
	for i, r := range c.kept {
		if d := judge(i, r); d != nil {
			c.out(d.of(r, stepName(step)))
		} else {
			left = append(left, r)
		}
	}
	c.kept = left
}

// finite leaves out the scores of plugins that abstained, which JSON cannot write.
func finite(scores map[string]float32) map[string]float32 {
	kept := make(map[string]float32, len(scores))
	for name, v := range scores {
		if !math.IsNaN(float64(v)) {
			kept[name] = v
		}
	}
	return kept
}
