package main

import (
	"cmp"
	"slices"
)

// A ledger spreads the mentions evenly: what has been said least, for its weight, is said next.
type ledger struct {
	entities []*entity
	weight   float64 // of core attributes; the others weigh 1
	said     map[mention]int
}

func newLedger(entities []*entity, weight float64) *ledger {
	return &ledger{entities: entities, weight: weight, said: map[mention]int{}}
}

func (l *ledger) load(m mention) float64 {
	if core(m.attr) {
		return float64(l.said[m]) / l.weight
	}
	return float64(l.said[m])
}

// entity returns the one of a few at random whose facts have been said least.
func (l *ledger) entity(w *writer, want func(*entity) bool) *entity {
	var best *entity
	var least float64
	for best == nil {
		for _, e := range draw(w, l.entities, 12) {
			if !want(e) {
				continue
			}
			if s := l.served(e); best == nil || s < least {
				best, least = e, s
			}
		}
	}
	return best
}

func (l *ledger) served(e *entity) float64 {
	var sum float64
	for _, f := range e.facts {
		sum += l.load(mention{e, f.attr})
	}
	return sum / float64(len(e.facts))
}

// facts returns the n least stated facts of an entity, in the order of its table.
func (l *ledger) facts(w *writer, e *entity, n int) []fact {
	order := w.rng.Perm(len(e.facts))
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(l.load(mention{e, e.facts[a].attr}), l.load(mention{e, e.facts[b].attr}))
	})
	order = order[:min(n, len(order))]
	slices.Sort(order)
	var out []fact
	for _, i := range order {
		out = append(out, e.facts[i])
	}
	return out
}

func (l *ledger) note(e *entity, facts ...fact) {
	for _, f := range facts {
		l.said[mention{e, f.attr}]++
	}
}

func anyEntity(*entity) bool { return true }
