package data

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// An Expr is a condition on a record's scores, such as
//
//	rater.quality >= 3 and (rules.words >= 20 or not rules.ends_mid_sentence == 1)
//
// Names are those of scores; the last part alone will do where no other score ends in it. q05(name) is the 5 % quantile
// of a score over all records. A comparison with a score that a record does not have, or that a plugin abstained from,
// is false.
type Expr struct {
	root node
	text string
}

// String returns the expression as it was written.
func (e *Expr) String() string { return e.text }

// Names returns the names in the expression, sorted.
func (e *Expr) Names() []string {
	seen := map[string]bool{}
	e.root.names(func(name string) { seen[name] = true })
	return slices.Sorted(maps.Keys(seen))
}

// Bind looks the names up among the scores of the records, computes the quantiles over them, and returns the condition.
// An unknown or ambiguous name is an error.
func (e *Expr) Bind(records []*Record) (func(*Record) bool, error) {
	b := newBinding(records)
	for _, name := range e.Names() {
		if err := b.resolve(name); err != nil {
			return nil, fmt.Errorf("expression %q: %w", e.text, err)
		}
	}
	return e.root.bind(b), nil
}

// A binding gives names and quantiles their meaning.
type binding struct {
	records []*Record
	known   []string          // scores of the records, sorted
	scores  map[string]string // name in the expression to score
}

func newBinding(records []*Record) *binding {
	seen := map[string]bool{}
	for _, r := range records {
		for name := range r.Scores {
			seen[name] = true
		}
	}
	return &binding{records, slices.Sorted(maps.Keys(seen)), map[string]string{}}
}

// resolve finds the score that a name means: that of the name, or the only one that ends in it.
func (b *binding) resolve(name string) error {
	if _, ok := slices.BinarySearch(b.known, name); ok {
		b.scores[name] = name
		return nil
	}
	var ends []string
	for _, k := range b.known {
		if strings.HasSuffix(k, "."+name) {
			ends = append(ends, k)
		}
	}
	switch len(ends) {
	case 1:
		b.scores[name] = ends[0]
		return nil
	case 0:
		return fmt.Errorf("no record has a score %q%s (scores: %s)",
			name, didYouMean(name, b.known), strings.Join(b.known, ", "))
	}
	return fmt.Errorf("%q can be any of %s", name, strings.Join(ends, ", "))
}

// quantile is the share-quantile of a score over the records that have it, interpolated between neighbours; NaN when
// none has.
func (b *binding) quantile(share float64, score string) float64 {
	var values []float64
	for _, r := range b.records {
		if v := scoreOf(r, score); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	place := share * float64(len(values)-1)
	low := int(place)
	high := min(low+1, len(values)-1)
	return values[low] + (place-float64(low))*(values[high]-values[low])
}

func scoreOf(r *Record, name string) float64 {
	if v, ok := r.Scores[name]; ok {
		return float64(v)
	}
	return math.NaN()
}

// A node of an expression's tree.
type node interface {
	names(each func(string))
	bind(*binding) func(*Record) bool
}

// both holds where both sides hold, either where one does.
type (
	both    struct{ a, b node }
	either  struct{ a, b node }
	negated struct{ a node }
)

func (n both) names(each func(string)) { n.a.names(each); n.b.names(each) }

func (n both) bind(b *binding) func(*Record) bool {
	x, y := n.a.bind(b), n.b.bind(b)
	return func(r *Record) bool { return x(r) && y(r) }
}

func (n either) names(each func(string)) { n.a.names(each); n.b.names(each) }

func (n either) bind(b *binding) func(*Record) bool {
	x, y := n.a.bind(b), n.b.bind(b)
	return func(r *Record) bool { return x(r) || y(r) }
}

func (n negated) names(each func(string)) { n.a.names(each) }

func (n negated) bind(b *binding) func(*Record) bool {
	x := n.a.bind(b)
	return func(r *Record) bool { return !x(r) }
}

// A comparison of two operands.
type comparison struct {
	operator string
	a, b     operand
}

func (n comparison) names(each func(string)) {
	for _, o := range []operand{n.a, n.b} {
		if o.name != "" {
			each(o.name)
		}
	}
}

func (n comparison) bind(b *binding) func(*Record) bool {
	x, y := n.a.bind(b), n.b.bind(b)
	compare := comparisons[n.operator]
	return func(r *Record) bool { return compare(x(r), y(r)) }
}

// comparisons are all false when a side is NaN.
var comparisons = map[string]func(a, b float64) bool{
	">=": func(a, b float64) bool { return a >= b },
	"<=": func(a, b float64) bool { return a <= b },
	">":  func(a, b float64) bool { return a > b },
	"<":  func(a, b float64) bool { return a < b },
	"==": func(a, b float64) bool { return a == b },
	"!=": func(a, b float64) bool { return a < b || a > b },
}

// An operand is a number, a score, or a quantile of a score.
type operand struct {
	number   float64
	name     string
	quantile float64 // NaN when it is the score itself
}

func (o operand) bind(b *binding) func(*Record) float64 {
	score, value := b.scores[o.name], o.number
	switch {
	case o.name == "":
	case math.IsNaN(o.quantile):
		return func(r *Record) float64 { return scoreOf(r, score) }
	default:
		value = b.quantile(o.quantile, score)
	}
	return func(*Record) float64 { return value }
}
