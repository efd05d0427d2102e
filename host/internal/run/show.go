package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// ShowOptions say what Show prints.
type ShowOptions struct {
	Stage   string
	Records int // of each source of the mix
	IDs     bool
	Colour  bool
}

// Show prints the first records of a train stage as it would learn them: their tokens, and which of them carry loss. It
// leaves nothing behind.
func (p *Process) Show(ctx context.Context, o ShowOptions) error {
	p.leavesNothing = true
	st, ok := p.recipe.Stages[o.Stage]
	if !ok || st.Train == nil {
		return fmt.Errorf("%s is no train stage of %s", o.Stage, p.recipe.File)
	}
	tok, err := p.stageTokenizer(o.Stage)
	if err != nil {
		return err
	}
	w := exampleWriter{out: p.options.Out, tok: tok, ids: o.IDs, style: plainStyle}
	if o.Colour {
		w.style = colourStyle
	}
	for _, ref := range slices.Sorted(maps.Keys(st.Train.Data.Mix)) {
		records, err := p.firstRecords(ctx, ref, o.Records)
		if err != nil {
			return fmt.Errorf("stage %s: %w", o.Stage, err)
		}
		examples, err := data.Examples(ref, records, tok, *st.Train, o.Records)
		if err != nil {
			return fmt.Errorf("stage %s: source %s: %w", o.Stage, ref, err)
		}
		for _, e := range examples {
			if err := w.example(ref, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// stageTokenizer loads the tokenizer of a train stage, which an earlier stage may have to make first.
func (p *Process) stageTokenizer(name string) (*tokenizer.Tokenizer, error) {
	ref := p.recipe.TokenizerOf(name)
	if _, made := p.recipe.Stages[ref]; made {
		if s, err := readSummary(p.stageDir(ref)); err != nil || s == nil {
			missing := fmt.Errorf("the tokenizer of stage %s is not there yet: run the recipe first", ref)
			return nil, errors.Join(missing, err)
		}
	}
	return p.openTokenizer(ref)
}

// firstRecords are at least the first n records of a source, if it has as many: all of them where some are selected.
func (p *Process) firstRecords(ctx context.Context, ref string, n int) ([]*data.Record, error) {
	name, keep, err := data.ParseSelection(ref)
	if err != nil {
		return nil, err
	}
	spec, ok := p.recipe.Datasets[name]
	if !ok || keep != nil {
		return p.records(ctx, name)
	}
	records, _, err := data.Peek(ctx, name, spec, p.dataRoot(), p.options.Samples, n)
	if err != nil {
		return nil, fmt.Errorf("dataset %s: %w", name, err)
	}
	return records, nil
}

// roles lists who speaks in a record.
func roles(r *data.Record) string {
	turns := r.Turns
	if r.Kind() == data.KindPair {
		turns = r.Prompt
	}
	var all []string
	for _, t := range turns {
		all = append(all, string(t.Role))
	}
	if r.Kind() == data.KindPair {
		all = append(all, "chosen and rejected assistant")
	}
	return strings.Join(all, ", ")
}
