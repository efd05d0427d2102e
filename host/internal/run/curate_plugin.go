package run

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// score rates the records' texts; the ratings become scores named plugin.score, NaN where the plugin abstained.
func (c *curation) score(ctx context.Context, step recipe.Step, p *openedPlugin) error {
	docs := make([]sdk.Document, len(c.records))
	for i, r := range c.records {
		docs[i] = r.Document()
	}
	ratings, err := p.Score(ctx, docs)
	if err != nil {
		return err
	}
	c.settle(step, func(i int, r *data.Record) (sdk.Status, string) {
		for _, declared := range p.Manifest().Scores {
			v, ok := ratings[i].Scores[declared.Name]
			if !ok || ratings[i].Status != sdk.OK {
				v = math.NaN()
			}
			r.Scores[p.name+"."+declared.Name] = float32(v)
		}
		return ratings[i].Status, ratings[i].Detail
	})
	return nil
}

// filter drops or edits dialogues; the verdict's score becomes plugin.score.
func (c *curation) filter(ctx context.Context, step recipe.Step, p *openedPlugin) error {
	dialogues := make([]sdk.Dialogue, len(c.records))
	for i, r := range c.records {
		if len(r.Turns) == 0 {
			return fmt.Errorf("%s:%d is not a dialogue", r.File, r.Line)
		}
		dialogues[i] = r.Dialogue()
	}
	verdicts, err := p.FilterAll(ctx, dialogues)
	if err != nil {
		return err
	}
	c.settle(step, func(i int, r *data.Record) (sdk.Status, string) {
		v := verdicts[i]
		if v.Status == sdk.OK {
			r.Scores[p.name+".score"] = float32(v.Score)
		}
		return v.Status, v.Detail
	})
	return c.apply(step, verdicts, dialogues)
}

// apply carries out the verdicts on the records that are left; a fault has taken its record out already.
func (c *curation) apply(step recipe.Step, verdicts []sdk.Verdict, dialogues []sdk.Dialogue) error {
	of := make(map[string]sdk.Verdict, len(verdicts))
	for i, v := range verdicts {
		of[dialogues[i].ID] = v
	}
	var failed error
	c.sieve(func(r *data.Record) *drop {
		v := of[r.ID]
		switch {
		case v.Action == sdk.Drop && v.Status == sdk.OK:
			return &drop{Reason: strings.Join(v.Reasons, ", "), Detail: v.Detail}
		case v.Action == sdk.Edit && v.Status == sdk.OK:
			turns, err := edited(r.Turns, v.Edits)
			if err != nil && failed == nil {
				failed = fmt.Errorf("record %s: %w", r.ID, err)
			}
			r.Turns = turns
			r.Identify()
		}
		return nil
	}, step)
	return failed
}

// edited applies a filter's edits to a copy of the turns.
func edited(turns []sdk.Turn, edits []sdk.TurnEdit) ([]sdk.Turn, error) {
	turns = slices.Clone(turns)
	for _, e := range edits {
		last := len(turns) - 1
		if e.Op == sdk.InsertTurn {
			last++
		}
		if e.Turn < 0 || e.Turn > last {
			return nil, fmt.Errorf("edit of turn %d of %d", e.Turn, len(turns))
		}
		switch e.Op {
		case sdk.ReplaceTurn:
			turns[e.Turn].Text = e.Text
		case sdk.DeleteTurn:
			turns = slices.Delete(turns, e.Turn, e.Turn+1)
		case sdk.InsertTurn:
			turns = slices.Insert(turns, e.Turn, sdk.Turn{Role: between(turns, e.Turn), Text: e.Text})
		}
	}
	return turns, nil
}

// between is the role that keeps user and assistant in turn when a turn is put in at place i.
func between(turns []sdk.Turn, i int) sdk.Role {
	if i > 0 && turns[i-1].Role == sdk.RoleUser {
		return sdk.RoleAssistant
	}
	return sdk.RoleUser
}

// reward judges answers: both of a pair, or the last of a dialogue.
func (c *curation) reward(ctx context.Context, step recipe.Step, p *openedPlugin) error {
	samples, per, err := c.samples()
	if err != nil {
		return err
	}
	answers, err := p.Reward(ctx, samples)
	if err != nil {
		return err
	}
	c.settle(step, func(i int, r *data.Record) (sdk.Status, string) {
		a := answers[i*per : (i+1)*per]
		for _, j := range a {
			if j.Status != sdk.OK {
				return j.Status, j.Detail
			}
		}
		if per == 1 {
			r.Scores[p.name+".reward"] = float32(a[0].Reward)
			return sdk.OK, ""
		}
		r.Scores[p.name+".chosen"], r.Scores[p.name+".rejected"] = float32(a[0].Reward), float32(a[1].Reward)
		r.Scores[p.name+".margin"] = float32(a[0].Reward - a[1].Reward)
		return sdk.OK, ""
	})
	return nil
}

// samples lays out the answers to be judged: two of each pair, or one of each dialogue.
func (c *curation) samples() (all []sdk.Sample, per int, err error) {
	per = 1
	for _, r := range c.records {
		if len(r.Prompt) > 0 {
			per = 2
			all = append(all, sdk.Sample{ID: r.ID, History: r.Prompt, Response: r.Chosen},
				sdk.Sample{ID: r.ID, History: r.Prompt, Response: r.Rejected})
			continue
		}
		last := len(r.Turns) - 1
		if last < 1 || r.Turns[last].Role != sdk.RoleAssistant {
			return nil, 0, fmt.Errorf("%s:%d is neither a pair nor a dialogue that ends with an answer", r.File, r.Line)
		}
		all = append(all, sdk.Sample{ID: r.ID, History: r.Turns[:last], Response: r.Turns[last].Text})
	}
	return all, per, nil
}

// settle goes over the records with their answers; faults are quarantined with their reason.
func (c *curation) settle(step recipe.Step, answer func(i int, r *data.Record) (sdk.Status, string)) {
	left := c.records[:0:0]
	for i, r := range c.records {
		status, detail := answer(i, r)
		if status == sdk.Fault {
			c.quarantined = append(c.quarantined, drop{Reason: "fault", Detail: detail}.of(r, step))
			continue
		}
		left = append(left, r)
	}
	c.records = left
}
