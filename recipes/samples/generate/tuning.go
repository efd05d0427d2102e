package main

// rated writes documents with points. One in sixteen is a point off, as with human raters.
func (s *sample) rated() {
	writers := map[language]*author{}
	for _, l := range []language{english, chinese} {
		writers[l] = &author{newWriter(l, "rated"), newLedger(s.medical, 1), medicalStyles}
	}
	for _, set := range []struct {
		name, path string
		size       int
	}{{"rated", "rated.jsonl.gz", 1000}, {"rated-heldout", "rated-heldout.jsonl", 200}} {
		var records []any
		for i := range set.size {
			l := language(i % 2)
			a := writers[l]
			d := s.fresh(func() document { return a.ofQuality(pick(a.writer, ladder), s.general) })
			r := newText(set.name, l, i, d.text)
			label := float64(d.quality)
			if a.chance(1.0 / 16) {
				label = min(5, max(0, label+float64(2*a.rng.IntN(2)-1)))
			}
			r.Label = &label
			records = append(records, r)
		}
		s.add(set.path, records)
	}
}

// ladder holds the points in the shares in which rated documents have them.
var ladder = []int{0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5}

// ofQuality writes until a document has the points asked for.
func (a *author) ofQuality(points int, others []*entity) document {
	for {
		var d document
		switch {
		case points >= 4:
			d = a.article()
		case points >= 2:
			d = a.mediocre(others)
		default:
			d = a.rubbish()
		}
		if d.quality == points {
			return d
		}
	}
}

// dialogues writes consultations, a quarter of them exam items, with 6 % of each kind of bad ones planted.
func (s *sample) dialogues() {
	const size = 450
	var records []any
	for _, l := range []language{english, chinese} {
		w := &author{newWriter(l, "dialogues"), newLedger(s.medical, 3), nil}
		facts := s.outside(l)
		for i := range size {
			switch x := w.rng.Float64(); {
			case x < 0.25:
				records = append(records, newDialogue(l, i, w.quiz(s.medical, pick(w.writer, facts)), ""))
			case x < 0.31:
				records = append(records, newDialogue(l, i, w.unrelated(), "unrelated"))
			case x < 0.37:
				records = append(records, newDialogue(l, i, w.redundant(), "redundant"))
			default:
				e := w.ledger.entity(w.writer, anyEntity)
				records = append(records, newDialogue(l, i, w.talk(e, 2+w.rng.IntN(4)), ""))
			}
		}
	}
	s.add("dialogues.jsonl.gz", records)
}

// preferences writes the pairs. Held-out prompts are in no training pair.
func (s *sample) preferences() {
	asked := map[string]bool{}
	writers := [...]*writer{newWriter(english, "pairs"), newWriter(chinese, "pairs")}
	for _, set := range []struct {
		name, path string
		size       int
	}{{"pairs", "pairs.jsonl.gz", 600}, {"pairs-heldout", "pairs-heldout.jsonl", 150}} {
		var records []any
		for i := range set.size {
			w := writers[i%2]
			r := newPair(set.name, w.lang, i, s.unasked(w, asked))
			if set.name == "pairs" && w.chance(0.05) {
				r.Chosen, r.Rejected, r.Planted = r.Rejected, r.Chosen, "swapped"
			}
			records = append(records, r)
		}
		s.add(set.path, records)
	}
}

// unasked returns a pair whose prompt is new.
func (s *sample) unasked(w *writer, asked map[string]bool) preference {
	for {
		p := w.subjective(s.medical)
		if w.chance(0.3) {
			p = w.objective(s.medical, pick(w, s.outside(w.lang)))
		}
		if !asked[p.prompt] {
			asked[p.prompt] = true
			return p
		}
	}
}
