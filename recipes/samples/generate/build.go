package main

import (
	"fmt"
	"slices"
	"strings"
)

// A file is one data file: its path below recipes/samples and its records.
type file struct {
	path    string
	records []any
}

// A sample is the whole data in the making.
type sample struct {
	medical, general []*entity
	files            []file
	seen             map[string]bool // documents so far, so that none is written twice by chance
	exam             [2]map[mention]bool
}

// build makes all files. The same source always makes the same files.
func build() []file {
	s := &sample{medical: medical(), general: general(), seen: map[string]bool{}}
	for _, l := range []language{english, chinese} {
		said := s.medicalText(l)
		s.generalText(l)
		s.heldOut(l)
		s.exams(l, said)
	}
	s.rated()
	s.dialogues()
	s.preferences()
	check(s.files)
	return s.files
}

func (s *sample) add(path string, records []any) { s.files = append(s.files, file{path, records}) }

// fresh calls write until it returns a document that no file holds yet.
func (s *sample) fresh(write func() document) document {
	for range 1000 {
		d := write()
		if key := strings.ToLower(d.text); !s.seen[key] {
			s.seen[key] = true
			return d
		}
	}
	panic("the generator has run out of new documents")
}

// medicalText writes the corpus of both Stable and Boost: 62 % clean, 19 % mediocre, 14 % bad, and 5 % copies of these.
func (s *sample) medicalText(l language) *ledger {
	size := [...]int{2290, 1000}[l]
	a := &author{newWriter(l, "medical"), newLedger(s.medical, [...]float64{4, 8}[l]), medicalStyles}
	var records []any
	for i := range size {
		var text string
		switch x := a.rng.Float64(); {
		case i > 50 && x < 0.05:
			text = records[a.rng.IntN(i)].(textRecord).Text
		case x < 0.19:
			text = s.fresh(a.rubbish).text
		case x < 0.38:
			text = s.fresh(func() document { return a.mediocre(s.general) }).text
		default:
			text = s.fresh(a.article).text
		}
		records = append(records, newText("medical", l, i, text))
	}
	s.add(fmt.Sprintf("medical/%v.jsonl.gz", l), records)
	return a.ledger
}

func (s *sample) generalText(l language) {
	a := &author{newWriter(l, "general"), newLedger(s.general, 1), generalStyles}
	var records []any
	for i := range [...]int{500, 250}[l] {
		write := a.article
		if a.chance(0.1) {
			write = a.wordy
		}
		records = append(records, newText("general", l, i, s.fresh(write).text))
	}
	s.add(fmt.Sprintf("general/%v.jsonl.gz", l), records)
}

// heldOut writes the documents for perplexity. Half of their sentences are worded as nowhere else.
func (s *sample) heldOut(l language) {
	sets := []struct {
		name     string
		entities []*entity
		styles   []style
		size     int
	}{{"heldout", s.medical, medicalStyles[:3], 60}, {"heldout-general", s.general, generalStyles[:3], 30}}
	for _, set := range sets {
		a := &author{newWriter(l, set.name), newLedger(set.entities, 1), set.styles}
		a.held = true
		a.styles = append(slices.Clone(a.styles), style{1, (*author).encyclopaedia})
		var records []any
		for i := range set.size {
			records = append(records, newText(set.name, l, i, s.fresh(a.article).text))
		}
		s.add(fmt.Sprintf("%s/%v.jsonl", set.name, l), records)
	}
}

// exams asks for core facts that the corpus states often. The first ten are the examples for few-shot prompts.
func (s *sample) exams(l language, said *ledger) {
	const examples, size, often = 10, 150, 12
	w := newWriter(l, "exam")
	var known []mention
	for _, e := range s.medical {
		for _, f := range e.facts {
			if m := (mention{e, f.attr}); core(f.attr) && said.said[m] >= often+2 {
				known = append(known, m)
			}
		}
	}
	s.exam[l] = map[mention]bool{}
	dev, main := []any{}, []any{}
	letters := w.rng.Perm(size + examples)
	for i, m := range draw(w, known, size+examples) {
		s.exam[l][m] = true
		q := w.question(s.medical, m, w.book.of(m.attr).exams, letters[i]%4)
		if i < examples {
			dev = append(dev, newChoice("exam-dev", l, i, q))
			continue
		}
		main = append(main, newChoice("exam", l, i-examples, q))
	}
	s.add(fmt.Sprintf("exam-dev-%v.jsonl", l), dev)
	s.add(fmt.Sprintf("exam-%v.jsonl", l), main)
}

// outside returns the facts that the exam of a language does not ask.
func (s *sample) outside(l language) []mention {
	var out []mention
	for _, e := range s.medical {
		for _, f := range e.facts {
			if m := (mention{e, f.attr}); !s.exam[l][m] {
				out = append(out, m)
			}
		}
	}
	return out
}
