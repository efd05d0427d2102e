package data

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// PlanOptions say how records become batches.
type PlanOptions struct {
	Train   recipe.Train // SequenceLen 0 means Context; exactly one of Tokens, Epochs and Steps is set
	Seed    uint64
	Context int // longest sequence of the model, in tokens
}

// A Plan is everything about the data of a train stage: all tokens, and the rows of every step. It is computed once,
// depends on its inputs only, and does not change afterwards.
//
// What a pass over the data is: of one source, each of its sequences once, in a new order each pass. Several sources,
// or shares of languages, are drawn by their shares of the tokens, each going through its own passes; an epoch is then
// as many tokens as they have together.
type Plan struct {
	store
	rows      rowList
	batch     int // rows of a step
	width     int
	shift     bool
	labelled  bool
	digest    string
	report    PlanReport
	objective string
}

// NewPlan lays out the data of a train stage. sources holds the records of all datasets and stages that
// o.Train.Data.Mix refers to, by name. It fails when a reference selects nothing, when shares cannot be had, and when a
// mask would train nothing or all.
func NewPlan(ctx context.Context, sources map[string][]*Record, tok Tokenizer, o PlanOptions) (*Plan, error) {
	b, err := newPlanBuilder(o)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	for i, ref := range b.refs.names {
		records, err := selected(sources, ref)
		if err == nil {
			err = b.source(ctx, i, records, encoder{tok, o.Train})
		}
		if err != nil {
			return nil, fmt.Errorf("plan: source %s: %w", ref, err)
		}
	}
	if err := b.draw(ctx); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	b.finish()
	return b.Plan, nil
}

// selected returns the records that a reference of a mix names.
func selected(sources map[string][]*Record, ref string) ([]*Record, error) {
	name, keep, err := ParseSelection(ref)
	if err != nil {
		return nil, err
	}
	records := sources[name]
	if keep != nil {
		holds, err := keep.Bind(records)
		if err != nil {
			return nil, err
		}
		records = slices.DeleteFunc(slices.Clone(records), func(r *Record) bool { return !holds(r) })
	}
	if len(records) == 0 {
		return nil, errors.New("it has no records")
	}
	return records, nil
}

// Steps is the number of optimizer steps. The last may have fewer rows than the others.
func (p *Plan) Steps() int { return (p.rows.len() + p.batch - 1) / p.batch }

// Sequences is the number of sequences that the plan draws from.
func (p *Plan) Sequences() int { return len(p.sequences) }

// Batch returns the rows of a step, counted from 0. It depends on nothing but the step, and takes the same time for
// each.
func (p *Plan) Batch(step int) Batch {
	var b Batch
	last := min((step+1)*p.batch, p.rows.len())
	for row := step * p.batch; row < last; row++ {
		b.Rows = append(b.Rows, int32(len(b.Sequences)))
		for _, number := range p.rows.row(row, row+1) {
			p.addTo(&b, number)
		}
	}
	return p.closed(b)
}

// Micro returns micro-batch number micro of a step, of at most size rows: Batch(step).Split(size)[micro].
func (p *Plan) Micro(step, micro, size int) Batch { return p.Batch(step).Split(size)[micro] }

// Range returns the sequences numbered [from,to), each as a row of its own. It serves what goes over all sequences
// once.
func (p *Plan) Range(from, to int) Batch {
	var b Batch
	for number := from; number < to; number++ {
		b.Rows = append(b.Rows, int32(len(b.Sequences)))
		p.addTo(&b, int32(number))
	}
	return p.closed(b)
}

func (p *Plan) addTo(b *Batch, number int32) {
	if b.Offsets == nil {
		b.Offsets = []int32{0}
	}
	b.add(&p.store, number, p.shift, p.labelled)
}

func (p *Plan) closed(b Batch) Batch {
	b.Rows = append(b.Rows, int32(len(b.Sequences)))
	return b
}

// Origin tells which record a sequence comes from, and its source in the mix.
func (p *Plan) Origin(sequence int) (record *Record, source string) {
	o := p.origins[p.sequences[sequence].origin]
	return o.record, p.report.Cells[o.cell].Source
}

// Digest is the sha256, in hex, of everything that batches depend on.
func (p *Plan) Digest() string { return p.digest }

// Report returns the figures of the plan.
func (p *Plan) Report() *PlanReport { return &p.report }
