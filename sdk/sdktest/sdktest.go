// Package sdktest is the conformance kit for plugins and for software development kits. Run holds a plugin to the
// contract in its author's tests; Ask and Compare put the same cases to a plugin however it runs; Golden are frames
// that every implementation of dp1 must read and write byte for byte.
package sdktest

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/carebot-llm/carebot/sdk"
)

// A Case is what a plugin is asked, and what it must answer where the author knows.
type Case struct {
	Name   string
	Config string // JSON object, {} when empty; defaults of the manifest are not filled in
	Seed   uint64

	Documents []sdk.Document
	Dialogues []sdk.Dialogue
	Samples   []sdk.Sample

	Want *Answers // compared when it is there
}

// Answers are a plugin's answers to a case. Late are the postponed verdicts.
type Answers struct {
	Ratings    []sdk.Rating
	Verdicts   []sdk.Verdict
	Late       []sdk.Verdict
	Judgements []sdk.Judgement
}

// A Subject is an opened plugin, however it runs.
type Subject interface {
	Score(context.Context, []sdk.Document) ([]sdk.Rating, error)
	Filter(context.Context, []sdk.Dialogue) ([]sdk.Verdict, error)
	Finish(context.Context) ([]sdk.Verdict, error)
	Reward(context.Context, []sdk.Sample) ([]sdk.Judgement, error)
}

// Run opens the plugin as it is compiled in, with a Model for each that it requests, and checks for each case that it
// answers every record, as wanted, the same in a second instance and the same when it is asked record by record.
func Run(t *testing.T, p sdk.Plugin, cases []Case) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			first := Ask(t, open(t, p, c), p.Manifest, c)
			if c.Want != nil {
				Compare(t, *c.Want, first)
			}
			Compare(t, first, Ask(t, open(t, p, c), p.Manifest, c))
			Compare(t, first, Ask(t, singly{open(t, p, c)}, p.Manifest, c))
		})
	}
}

func open(t *testing.T, p sdk.Plugin, c Case) Subject {
	t.Helper()
	subject, err := Open(p, c)
	if err != nil {
		t.Fatal(err)
	}
	return subject
}

// Ask puts a case to a plugin, the kinds that its manifest names.
func Ask(t *testing.T, s Subject, m sdk.Manifest, c Case) (a Answers) {
	t.Helper()
	var errs [4]error
	if slices.Contains(m.Kinds, sdk.KindScorer) {
		a.Ratings, errs[0] = s.Score(t.Context(), c.Documents)
	}
	if slices.Contains(m.Kinds, sdk.KindFilter) {
		a.Verdicts, errs[1] = s.Filter(t.Context(), c.Dialogues)
		a.Late, errs[2] = s.Finish(t.Context())
	}
	if slices.Contains(m.Kinds, sdk.KindReward) {
		a.Judgements, errs[3] = s.Reward(t.Context(), c.Samples)
	}
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// Compare fails the test unless the answers are equal to the last bit, all NaN being one.
func Compare(t *testing.T, want, got Answers) {
	t.Helper()
	bits := cmp.Comparer(func(a, b float64) bool {
		return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
	})
	if diff := cmp.Diff(want, got, bits, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("answers differ (-want +got):\n%s", diff)
	}
}

// singly asks record by record.
type singly struct{ Subject }

func (s singly) Score(ctx context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	return each(ctx, docs, s.Subject.Score)
}

func (s singly) Filter(ctx context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	return each(ctx, dialogues, s.Subject.Filter)
}

func (s singly) Reward(ctx context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	return each(ctx, samples, s.Subject.Reward)
}

func each[In, Out any](
	ctx context.Context, in []In, ask func(context.Context, []In) ([]Out, error),
) (all []Out, err error) {
	for i := range in {
		answers, err := ask(ctx, in[i:i+1])
		if err != nil {
			return nil, err
		}
		all = append(all, answers...)
	}
	return all, nil
}
