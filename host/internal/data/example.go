package data

import (
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// An Example is a record as a train stage learns it, before it is cut to length and packed. Absent: it takes no part,
// since it has no label.
type Example struct {
	Record *Record
	Parts  []ExamplePart // one, or the chosen and the rejected answer with their prompt
	Label  float32
	Absent bool
}

// An ExamplePart is a sequence of tokens, and for each whether it is learned; Learned is nil when the objective
// predicts no tokens.
type ExamplePart struct {
	Tokens  []int32
	Learned []bool
}

// Learns reports whether token number i is learned.
func (p ExamplePart) Learns(i int) bool { return p.Learned != nil && p.Learned[i] }

// Examples encodes the first n records that a reference of a train stage's mix selects.
func Examples(ref string, records []*Record, tok Tokenizer, spec recipe.Train, n int) ([]Example, error) {
	name, _, err := ParseSelection(ref)
	if err != nil {
		return nil, err
	}
	records, err = selected(map[string][]*Record{name: records}, ref)
	if err != nil {
		return nil, err
	}
	var all []Example
	for _, r := range records[:min(n, len(records))] {
		e, err := encoder{tok, spec}.encode(r)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", r.File, r.Line, err)
		}
		all = append(all, e.example(r, shifted(spec.Objective)))
	}
	return all, nil
}

func (e encoded) example(r *Record, predicts bool) Example {
	x := Example{Record: r, Label: e.label, Absent: e.absent}
	for _, p := range e.pieces {
		part := ExamplePart{Tokens: p.ids}
		if predicts {
			part.Learned = p.mask()
		}
		x.Parts = append(x.Parts, part)
	}
	return x
}

// mask says of each token whether it is a target. The first never is: nothing is before it.
func (p piece) mask() []bool {
	mask := make([]bool, len(p.ids))
	for _, s := range p.learned {
		for i := max(s.From, 1); i < s.To; i++ {
			mask[i] = true
		}
	}
	return mask
}
