package author

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/sdk"
)

// A Failure is a case that the plugin answers otherwise than wanted.
type Failure struct {
	Case  Case
	Wrong []string // what differs
}

func (f Failure) String() string {
	name := ""
	if f.Case.Name != "" {
		name = fmt.Sprintf(" (%s)", f.Case.Name)
	}
	return fmt.Sprintf("line %d%s: %s", f.Case.Line, name, strings.Join(f.Wrong, "; "))
}

// Check puts the cases to the plugin and returns those that fail, in the order of their lines. The plugin is opened as
// the spec says, anew for each configuration that cases give; cases without one use the spec's. The cases of one
// configuration are asked together, so that a stateful filter sees them as one set of data.
func Check(ctx context.Context, spec plugin.Spec, cases []Case) ([]Failure, error) {
	var failures []Failure
	groups, err := byConfiguration(cases)
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		s := spec
		if group[0].With != nil {
			s.Plugin.With = group[0].With
		}
		failed, err := checkGroup(ctx, s, group)
		if err != nil {
			return nil, fmt.Errorf("case of line %d: %w", group[0].Line, err)
		}
		failures = append(failures, failed...)
	}
	slices.SortFunc(failures, func(a, b Failure) int { return a.Case.Line - b.Case.Line })
	return failures, nil
}

// byConfiguration groups the cases that have the same configuration, in the order of their first lines.
func byConfiguration(cases []Case) ([][]Case, error) {
	var groups [][]Case
	place := map[string]int{}
	for _, c := range cases {
		with, err := json.Marshal(c.With)
		if err != nil {
			return nil, err
		}
		at, known := place[string(with)]
		if !known {
			at = len(groups)
			place[string(with)], groups = at, append(groups, nil)
		}
		groups[at] = append(groups[at], c)
	}
	return groups, nil
}

func checkGroup(ctx context.Context, spec plugin.Spec, cases []Case) (failures []Failure, err error) {
	spec.Plugin.Limits.Faults = max(spec.Plugin.Limits.Faults, len(cases)) // a wanted fault is none too many
	p, err := plugin.Open(ctx, spec)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	documents, err := documentFailures(ctx, p, cases)
	if err != nil {
		return nil, err
	}
	dialogues, err := dialogueFailures(ctx, p, cases)
	if err != nil {
		return nil, err
	}
	samples, err := sampleFailures(ctx, p, cases)
	return slices.Concat(documents, dialogues, samples), err
}

func documentFailures(ctx context.Context, p *plugin.Plugin, all []Case) ([]Failure, error) {
	cases, docs := recordsOf(all, func(c Case) *sdk.Document { return c.Document })
	if len(cases) == 0 {
		return nil, nil
	}
	ratings, err := p.Score(ctx, docs)
	if err != nil {
		return nil, err
	}
	return failing(cases, func(i int, d *differences) {
		d.status(ratings[i].Status, ratings[i].Detail)
		d.numbers("scores", d.want.Scores, ratings[i].Scores)
	}), nil
}

// dialogueFailures compares the final verdicts; a case that wants "later" compares the first.
func dialogueFailures(ctx context.Context, p *plugin.Plugin, all []Case) ([]Failure, error) {
	cases, dialogues := recordsOf(all, func(c Case) *sdk.Dialogue { return c.Dialogue })
	if len(cases) == 0 {
		return nil, nil
	}
	verdicts, err := p.Filter(ctx, dialogues)
	if err != nil {
		return nil, err
	}
	late, err := p.Finish(ctx)
	if err != nil {
		return nil, err
	}
	return failing(cases, func(i int, d *differences) {
		v := verdicts[i]
		if v.Status == sdk.OK && v.Action == sdk.Later {
			final := late[0]
			if late = late[1:]; d.want.Action != actions[sdk.Later] {
				v = final
			}
		}
		d.verdict(v)
	}), nil
}

func sampleFailures(ctx context.Context, p *plugin.Plugin, all []Case) ([]Failure, error) {
	cases, samples := recordsOf(all, func(c Case) *sdk.Sample { return c.Sample })
	if len(cases) == 0 {
		return nil, nil
	}
	judgements, err := p.Reward(ctx, samples)
	if err != nil {
		return nil, err
	}
	return failing(cases, func(i int, d *differences) {
		d.status(judgements[i].Status, judgements[i].Detail)
		d.number("reward", d.want.Reward, judgements[i].Reward)
		d.numbers("parts", d.want.Parts, judgements[i].Parts)
	}), nil
}

// recordsOf returns the cases that have a record of one kind, and the records.
func recordsOf[T any](all []Case, of func(Case) *T) (cases []Case, records []T) {
	for _, c := range all {
		if r := of(c); r != nil {
			cases, records = append(cases, c), append(records, *r)
		}
	}
	return cases, records
}

// failing compares each case and returns those in which something differs.
func failing(cases []Case, compare func(int, *differences)) (failures []Failure) {
	for i, c := range cases {
		d := differences{want: &c.want}
		if compare(i, &d); len(d.all) > 0 {
			failures = append(failures, Failure{Case: c, Wrong: d.all})
		}
	}
	return failures
}
