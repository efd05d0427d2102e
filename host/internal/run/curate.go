package run

import (
	"context"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// curation is a curate stage on its way: the records that are left, and what became of the others.
type curation struct {
	*Process
	records     []*data.Record
	dropped     []drop
	quarantined []drop
}

// A drop is a record that a step took out, a line of dropped.jsonl or quarantine.jsonl.
type drop struct {
	ID     string             `json:"id"`
	File   string             `json:"file,omitempty"`
	Line   int                `json:"line,omitempty"`
	Source string             `json:"source"`
	Step   string             `json:"step"`
	Reason string             `json:"reason"`
	Detail string             `json:"detail,omitempty"`
	Scores map[string]float32 `json:"scores,omitempty"`

	faulty bool // a plugin failed on it: quarantined, not dropped
}

func (p *Process) curate(ctx context.Context, spec *recipe.Curate, dir string, s *Summary) error {
	var records []*data.Record
	for _, from := range spec.From {
		more, err := p.records(ctx, from)
		if err != nil {
			return err
		}
		records = append(records, more...)
	}
	c := &curation{Process: p, records: clone(records)}
	for i, step := range spec.Steps {
		if err := c.step(ctx, step); err != nil {
			return fmt.Errorf("step %d (%s): %w", i+1, stepName(step), err)
		}
	}
	s.Unit, s.In, s.Out = "records", int64(len(records)), int64(len(c.records))
	s.Dropped, s.Quarantined = int64(len(c.dropped)), int64(len(c.quarantined))
	s.Reasons = c.reasons()
	if s.In != s.Out+s.Dropped+s.Quarantined {
		panic(fmt.Sprintf("curate: %d records in, %d out, %d dropped, %d quarantined", s.In, s.Out, s.Dropped, s.Quarantined))
	}
	return c.write(dir)
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

func (c *curation) step(ctx context.Context, step recipe.Step) error {
	switch {
	case step.Dedup != nil:
		c.dedup(step)
		return nil
	case step.Score != "":
		return c.plugin(ctx, step.Score, step, c.score)
	case step.Filter != "":
		return c.plugin(ctx, step.Filter, step, c.filter)
	case step.Reward != "":
		return c.plugin(ctx, step.Reward, step, c.reward)
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
	holds, err := expr.Bind(c.records)
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
	left := c.records[:0:0]
	for i, r := range c.records {
		switch d := judge(i, r); {
		case d == nil:
			left = append(left, r)
		case d.faulty:
			c.quarantined = append(c.quarantined, d.of(r, step))
		default:
			c.dropped = append(c.dropped, d.of(r, step))
		}
	}
	c.records = left
}

func (d drop) of(r *data.Record, step recipe.Step) drop {
	d.ID, d.File, d.Line, d.Source, d.Step, d.Scores = r.ID, r.File, r.Line, r.Source, stepName(step), finite(r.Scores)
	return d
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

// reasons counts what was taken out, by step and reason.
func (c *curation) reasons() map[string]int64 {
	counts := map[string]int64{}
	for _, d := range c.dropped {
		counts[d.Step+": "+d.Reason]++
	}
	for _, d := range c.quarantined {
		counts[d.Step+": fault"]++
	}
	return counts
}

func (c *curation) write(dir string) error {
	if err := writeItems(dir+"/dropped.jsonl", c.dropped); err != nil {
		return err
	}
	if err := writeItems(dir+"/quarantine.jsonl", c.quarantined); err != nil {
		return err
	}
	return data.WriteDataset(dir+"/dataset", c.records)
}
