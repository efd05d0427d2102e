package run

import (
	"cmp"
	"context"
	"errors"
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
	docs := make([]sdk.Document, len(c.kept))
	for i, r := range c.kept {
		docs[i] = r.Document()
	}
	ratings, err := p.Score(ctx, docs)
	if err != nil {
		return err
	}
	c.sieve(step, func(i int, r *data.Record) *drop {
		for _, declared := range p.Manifest().Scores {
			v, ok := ratings[i].Scores[declared.Name]
			if !ok || ratings[i].Status != sdk.OK {
				v = math.NaN()
			}
			r.Scores[p.name+"."+declared.Name] = float32(v)
		}
		return fault(ratings[i].Status, ratings[i].Detail)
	})
	return nil
}

// fault takes a record out when the plugin failed on it; one that the plugin abstained from stays.
func fault(status sdk.Status, detail string) *drop {
	if status != sdk.Fault {
		return nil
	}
	return &drop{Reason: "fault", Detail: detail, faulty: true}
}

// filter drops or edits dialogues; the verdict's score becomes plugin.score, NaN where the plugin abstained.
func (c *curation) filter(ctx context.Context, step recipe.Step, p *openedPlugin) error {
	dialogues := make([]sdk.Dialogue, len(c.kept))
	for i, r := range c.kept {
		dialogues[i] = r.Dialogue()
	}
	verdicts, err := p.FilterAll(ctx, dialogues)
	if err != nil {
		return err
	}
	var failed []error
	c.sieve(step, func(i int, r *data.Record) *drop {
		r.Scores[p.name+".score"] = float32(verdicts[i].Score)
		if verdicts[i].Status != sdk.OK {
			return fault(verdicts[i].Status, verdicts[i].Detail)
		}
		d, err := apply(verdicts[i], r)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s:%d: %w", r.File, r.Line, err))
		}
		return d
	})
	return errors.Join(failed...)
}

// apply carries out a verdict on its record.
func apply(v sdk.Verdict, r *data.Record) (*drop, error) {
	switch v.Action {
	case sdk.Drop:
		return &drop{Reason: cmp.Or(strings.Join(v.Reasons, ", "), "dropped"), Detail: v.Detail}, nil
	case sdk.Edit:
		if r.Whole != (data.Whole{}) {
			return nil, errors.New("a filter can't edit a dialogue that has tools, calls of tools or reasoning")
		}
		turns, err := edited(r.Turns, v.Edits)
		if err != nil {
			return nil, err
		}
		r.Turns = turns
		r.Identify()
	}
	return nil, nil
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
	if len(turns) == 0 {
		return nil, errors.New("the edits leave no turn")
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
