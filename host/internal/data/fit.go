package data

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// A sequence is a stretch of a plan's tokens that goes through the model as one. Shifted objectives predict from each
// of its tokens the next; the target of its last token lies behind it, in tokens of the same record.
type sequence struct {
	from   int // in tokens
	length int32
	origin int32 // in origins
	label  float32
}

// A store holds the tokens of a plan.
type store struct {
	tokens    []int32
	learned   []bool // of tokens: carries loss as a target; empty when the objective has no targets
	sequences []sequence
	origins   []origin
}

// An origin is where a sequence comes from.
type origin struct {
	record *Record
	cell   int32
}

// A fitter lays encoded records out as sequences that are not longer than width, by the over-length policy.
type fitter struct {
	*store
	shift  bool
	width  int
	policy string
}

func newFitter(s *store, spec recipe.Train, width int) (fitter, error) {
	f := fitter{store: s, shift: shifted(spec.Objective), width: width, policy: spec.OverLength}
	if !slices.Contains([]string{"cut", "split", "drop", "error"}, f.policy) {
		return f, fmt.Errorf("over_length %q is none of cut, split, drop, error", f.policy)
	}
	if width < 2 {
		return f, fmt.Errorf("sequence_len %d is less than 2", width)
	}
	if f.policy == "split" && spec.Objective != "next_token" {
		return f, fmt.Errorf("over_length split does not go with objective %s: choose cut, drop or error",
			spec.Objective)
	}
	return f, nil
}

// positions is how many tokens of a piece the model reads: a last token that only is a target is not read.
func (f fitter) positions(p piece) int {
	if f.shift {
		return len(p.ids) - 1
	}
	return len(p.ids)
}

// place lays out one record and accounts for all of its tokens. It appends the sequences; there may be none.
func (f fitter) place(e encoded, from origin) (Tally, error) {
	t := Tally{Records: 1}
	longest := 0
	for _, p := range e.pieces {
		t.In += int64(len(p.ids))
		longest = max(longest, f.positions(p))
	}
	switch {
	case e.absent || (longest > f.width && f.policy == "drop"):
		t.Dropped = t.In
		return t, nil
	case longest > f.width && f.policy == "error":
		return t, fmt.Errorf("%s:%d: %d tokens are more than sequence_len %d, and over_length is error",
			from.record.File, from.record.Line, longest, f.width)
	case longest > f.width && f.policy == "cut":
		t.Cut = f.cut(&e, longest-f.width)
	}
	if len(e.pieces) == 2 && slices.Equal(e.pieces[0].ids, e.pieces[1].ids) {
		t.Dropped = t.In - t.Cut // the difference between the answers was cut off
		return t, nil
	}
	f.origins = append(f.origins, from)
	for _, p := range e.pieces {
		f.append(p, e.label, &t)
	}
	return t, t.check()
}

// cut shortens the pieces so that they fit, and returns the number of tokens taken off. A pair loses the oldest tokens
// of its prompt, as long as there are any, so that the answers stay whole; all else loses its end.
func (f fitter) cut(e *encoded, excess int) (taken int64) {
	for i := range e.pieces {
		p := &e.pieces[i]
		before := len(p.ids)
		if front := min(excess, p.prompt-1); front > 0 {
			p.ids = p.ids[front:]
			p.learned = []tokenizer.Span{{From: p.learned[0].From - front, To: p.learned[0].To - front}}
		}
		p.ids = p.ids[:min(len(p.ids), len(p.ids)-f.positions(*p)+f.width)]
		taken += int64(before - len(p.ids))
	}
	return taken
}

// append stores a piece as one sequence, or as several when it is longer than the width. A stretch without a token to
// train is left out.
func (f fitter) append(p piece, label float32, t *Tally) {
	if len(p.ids) == 0 {
		return
	}
	base := len(f.tokens)
	f.tokens = append(f.tokens, p.ids...)
	at := sequence{origin: int32(len(f.origins) - 1), label: label}
	if !f.shift {
		at.from, at.length = base, int32(len(p.ids))
		f.sequences = append(f.sequences, at)
		t.Trained += int64(len(p.ids))
		return
	}
	f.learned = append(f.learned, make([]bool, len(p.ids))...)
	for _, s := range p.learned {
		for i := s.From; i < min(s.To, len(p.ids)); i++ {
			f.learned[base+i] = true
		}
	}
	first := int64(1)
	for from := 0; from == 0 || from < len(p.ids)-1; from += f.width {
		at.from, at.length = base+from, int32(min(f.width, len(p.ids)-1-from))
		f.appendShifted(at, first, t)
		first = 0
	}
}

// appendShifted stores a sequence with targets; first is the number of its tokens that are no sequence's targets.
func (f fitter) appendShifted(s sequence, first int64, t *Tally) {
	trained := int64(0)
	for _, learned := range f.learned[s.from+1 : s.from+1+int(s.length)] {
		trained += int64(b2i(learned))
	}
	if trained == 0 {
		t.Dropped += int64(s.length) + first
		return
	}
	f.sequences = append(f.sequences, s)
	t.Trained += trained
	t.Masked += int64(s.length) - trained + first
	t.first += first
}
