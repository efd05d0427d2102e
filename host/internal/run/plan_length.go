package run

import (
	"context"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// bytesPerToken is what a plan assumes of text that no tokenizer has seen.
const bytesPerToken = 3

// planLength is the length of a train stage in tokens and steps: as the recipe says, or, for epochs, estimated (~) from the
// records that there are now. What a curate stage has yet to drop is counted in.
func (p *Process) planLength(ctx context.Context, spec *recipe.Train, sequence int) (tokens, steps string) {
	perStep := float64(spec.BatchSize) * float64(sequence)
	switch {
	case spec.Epochs > 0:
		return p.planEpochs(ctx, spec, perStep)
	case sequence == 0:
		return "?", "?"
	case spec.Steps > 0:
		return count(int64(float64(spec.Steps) * perStep)), count(int64(spec.Steps))
	}
	return count(int64(spec.Tokens)), count(int64((spec.Tokens + perStep - 1) / perStep))
}

func (p *Process) planEpochs(ctx context.Context, spec *recipe.Train, perStep float64) (tokens, steps string) {
	var all extent
	for ref := range spec.Data.Mix {
		name, _, err := data.ParseSelection(ref)
		if err == nil {
			err = p.measure(ctx, name, &all)
		}
		if err != nil {
			return fmt.Sprintf("%g epochs", spec.Epochs), "?"
		}
	}
	n := spec.Epochs * all.bytes / bytesPerToken
	rows := spec.Epochs * all.records / float64(spec.BatchSize)
	if spec.Objective == "next_token" && (spec.Packing == nil || *spec.Packing) {
		rows = n / max(1, perStep)
	}
	return "~" + count(int64(n)), "~" + count(int64(math.Ceil(rows)))
}

// planAnswers is how many tokens the answers of a pairs stage have at most.
func (p *Process) planAnswers(ctx context.Context, spec *recipe.Pairs) string {
	var all extent
	for _, from := range spec.From {
		if err := p.measure(ctx, from, &all); err != nil {
			return "?"
		}
	}
	return "≤" + count(int64(all.records)*int64(spec.N)*int64(spec.Tokens))
}

// extent is how much data there is.
type extent struct{ records, bytes float64 }

func (e *extent) add(r *data.Record) {
	e.records++
	e.bytes += float64(len(r.Document().Text))
}

// measure adds what a dataset holds, or a curate or pairs stage: its result when it is done, else all that it is made
// of.
func (p *Process) measure(ctx context.Context, ref string, all *extent) error {
	var from recipe.Fields
	switch st := p.recipe.Stages[ref]; {
	case st.Curate != nil:
		from = st.Curate.From
	case st.Pairs != nil:
		from = st.Pairs.From
	default:
		return p.measureDataset(ctx, ref, all)
	}
	if done, err := readSummary(p.stageDir(ref)); err == nil && done != nil && done.Key == p.keys[ref] {
		records, err := p.curatedRecords(ref)
		for _, r := range records {
			all.add(r)
		}
		return err
	}
	for _, source := range from {
		if err := p.measure(ctx, source, all); err != nil {
			return err
		}
	}
	return nil
}

func (p *Process) measureDataset(ctx context.Context, name string, all *extent) error {
	in, err := data.Open(name, p.recipe.Datasets[name], p.dataRoot(), p.options.Samples, data.NewQuarantine(nil))
	if err != nil {
		return err
	}
	for r, err := range in.Records(ctx) {
		if err != nil {
			return err
		}
		all.add(r)
	}
	return nil
}
