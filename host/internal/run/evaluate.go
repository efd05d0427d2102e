package run

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/eval"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// An Evaluation is what an evaluate stage measured; figures are in the order of the recipe, languages sorted.
type Evaluation struct {
	Perplexity []PerplexityFigure `json:"perplexity,omitempty"`
	Choice     []AccuracyFigure   `json:"choice,omitempty"`
	Preference []AccuracyFigure   `json:"preference,omitempty"`
	Ratings    []AgreementFigure  `json:"ratings,omitempty"`
	Rewards    []RewardFigure     `json:"rewards,omitempty"`
}

// A Subject is what a figure is about.
type Subject struct {
	Model    string `json:"model"`
	Dataset  string `json:"dataset"`
	Language string `json:"language,omitempty"`
}

// A PerplexityFigure is a model's perplexity on the documents of one language.
type PerplexityFigure struct {
	Subject
	eval.Perplexity
}

// An AccuracyFigure is a share of right decisions.
type AccuracyFigure struct {
	Subject
	eval.Accuracy
}

// An AgreementFigure compares a rater with given ratings.
type AgreementFigure struct {
	Subject
	Documents int      `json:"documents"`
	Spearman  *float64 `json:"spearman"` // null when all ratings of one side are equal
	MAE       float64  `json:"mae"`
}

// evaluation is an evaluate stage on its way.
type evaluation struct {
	*Process
	spec *recipe.Evaluate
	dir  string
	out  *Evaluation
}

func (p *Process) evaluate(ctx context.Context, name, dir string, s *Summary) error {
	e := evaluation{Process: p, spec: p.recipe.Stages[name].Evaluate, dir: dir, out: &Evaluation{}}
	s.Evaluation, s.Unit = e.out, "records"
	for _, ref := range e.spec.Models {
		m, err := p.serve(ref, e.spec.BF16)
		if err != nil {
			return err
		}
		for _, measure := range []func(context.Context, *served) (int, error){
			e.perplexity, e.benchmarks, e.preferences, e.ratings, e.rewards,
		} {
			n, err := measure(ctx, m)
			if err != nil {
				m.close()
				return fmt.Errorf("model %s: %w", ref, err)
			}
			s.In += int64(n)
		}
		m.close()
	}
	s.Out = s.In
	return nil
}

func (e evaluation) perplexity(ctx context.Context, m *served) (int, error) {
	return e.each(ctx, e.spec.Perplexity, func(dataset string, records []*data.Record) error {
		figures, err := eval.MeasurePerplexity(ctx, m.Served, records)
		for _, language := range slices.Sorted(maps.Keys(figures)) {
			e.out.Perplexity = append(e.out.Perplexity,
				PerplexityFigure{Subject{m.ref, dataset, language}, figures[language]})
		}
		return err
	})
}

func (e evaluation) benchmarks(ctx context.Context, m *served) (int, error) {
	options, err := e.choiceOptions(ctx, m)
	if err != nil {
		return 0, err
	}
	return e.each(ctx, e.spec.Benchmarks, func(dataset string, records []*data.Record) error {
		items, err := eval.MeasureChoice(ctx, m.Served, records, options)
		if err != nil {
			return err
		}
		figures := eval.Accuracies(items)
		for _, language := range slices.Sorted(maps.Keys(figures)) {
			e.out.Choice = append(e.out.Choice, AccuracyFigure{Subject{m.ref, dataset, language}, figures[language]})
		}
		return writeItems(filepath.Join(e.dir, fmt.Sprintf("items-%s-%s.jsonl", m.ref, dataset)), items)
	})
}

func (e evaluation) choiceOptions(ctx context.Context, m *served) (eval.ChoiceOptions, error) {
	o := eval.ChoiceOptions{Letters: e.spec.Scoring == "letter", Chat: e.chats(m.ref)}
	if e.spec.Shots == 0 {
		return o, nil
	}
	shots, err := e.records(ctx, e.spec.ShotsFrom)
	if err != nil {
		return o, err
	}
	if len(shots) < e.spec.Shots {
		return o, fmt.Errorf("%s has %d examples for %d shots", e.spec.ShotsFrom, len(shots), e.spec.Shots)
	}
	o.Shots = shots[:e.spec.Shots]
	return o, nil
}

// chats reports whether questions go through the model's chat template: when the recipe says so, or, with auto, when the model
// or one it grew from was trained on assistant turns.
func (e evaluation) chats(ref string) bool {
	if e.spec.Prompt != "auto" {
		return e.spec.Prompt == "chat"
	}
	for st := e.recipe.Stages[ref]; st.Train != nil; st = e.recipe.Stages[st.Train.Init] {
		if st.Train.Answers() {
			return true
		}
	}
	return false
}

func (e evaluation) preferences(ctx context.Context, m *served) (int, error) {
	if len(e.spec.Preferences) == 0 {
		return 0, nil
	}
	var reference *eval.Served
	if e.spec.Reference != "" && e.spec.Reference != m.ref {
		r, err := e.serve(e.spec.Reference, e.spec.BF16)
		if err != nil {
			return 0, err
		}
		defer r.close()
		reference = r.Served
	}
	return e.each(ctx, e.spec.Preferences, func(dataset string, records []*data.Record) error {
		figure, err := eval.MeasurePreference(ctx, m.Served, reference, records)
		e.out.Preference = append(e.out.Preference, AccuracyFigure{Subject{m.ref, dataset, ""}, figure})
		return err
	})
}

func (e evaluation) ratings(ctx context.Context, m *served) (int, error) {
	return e.each(ctx, e.spec.Ratings, func(dataset string, records []*data.Record) error {
		a, err := eval.MeasureRatings(ctx, m.Served, records, e.spec.Label)
		figure := AgreementFigure{Subject: Subject{m.ref, dataset, ""}, Documents: a.Documents, MAE: a.MAE}
		if !math.IsNaN(a.Spearman) {
			figure.Spearman = &a.Spearman
		}
		e.out.Ratings = append(e.out.Ratings, figure)
		return err
	})
}

// each reads the datasets and measures one after the other; it returns how many records there were.
func (e evaluation) each(
	ctx context.Context, datasets []string, measure func(dataset string, records []*data.Record) error,
) (int, error) {
	n := 0
	for _, dataset := range datasets {
		records, err := e.records(ctx, dataset)
		if err != nil {
			return n, err
		}
		if err := measure(dataset, records); err != nil {
			return n, fmt.Errorf("dataset %s: %w", dataset, err)
		}
		n += len(records)
	}
	return n, nil
}

func writeItems[T any](path string, items []T) error {
	return durable.Write(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, it := range items {
			if err := enc.Encode(it); err != nil {
				return err
			}
		}
		return nil
	})
}
