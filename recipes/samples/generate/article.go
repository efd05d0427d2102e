package main

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A document is a text and the points that the additive rubric gives it.
type document struct {
	text    string
	quality int
}

// An author writes documents and keeps account of what they state.
type author struct {
	*writer
	ledger *ledger
	styles []style
}

// A style is a way of writing documents and its share of them.
type style struct {
	share float64
	write func(*author) document
}

// The styles of clean medical documents and of general ones. The last takes what the shares leave.
var (
	medicalStyles = []style{
		{0.27, (*author).encyclopaedia}, {0.33, (*author).textbook}, {0.10, (*author).leaflet},
		{0.12, (*author).interview}, {0.05, (*author).overview},
		{0.07, (*author).comparison}, {0.03, (*author).vignette}, {1, (*author).roundup},
	}
	generalStyles = []style{
		{0.45, (*author).encyclopaedia}, {0.35, (*author).textbook}, {0.12, (*author).comparison},
		{1, (*author).roundup},
	}
)

// article writes a clean document of one to three paragraphs, each about one entity.
func (a *author) article() document {
	d := a.paragraph()
	for range 2 {
		if a.chance([...]float64{0.3, 0.7}[a.lang]) {
			next := a.paragraph()
			d = document{d.text + "\n" + next.text, min(d.quality, next.quality)}
		}
	}
	return d
}

func (a *author) paragraph() document {
	x := a.rng.Float64()
	for _, s := range a.styles {
		if x -= s.share; x < 0 {
			return s.write(a)
		}
	}
	panic("style shares do not reach 1")
}

// dense is the number of facts in a paragraph.
func (a *author) dense() int { return 3 + a.rng.IntN(2) }

// encyclopaedia states the facts one by one.
func (a *author) encyclopaedia() document {
	e := a.ledger.entity(a.writer, anyEntity)
	facts := a.ledger.facts(a.writer, e, a.dense())
	a.ledger.note(e, facts...)
	var out []string
	for i, f := range facts {
		switch {
		case i > 0 && a.chance(0.1):
			out = append(out, a.linked(e, f))
		default:
			out = append(out, a.statement(e, f, i == 0 || a.chance(0.85)))
		}
	}
	if a.chance(0.2) {
		out = append(out, a.filler(e.kind))
	}
	out = append(out, a.closing(e, facts)...)
	return document{a.heading(e, 0.25) + a.join(a.lengthen(out, e, facts)...), 4}
}

// closing repeats one or two core facts in other words.
func (a *author) closing(e *entity, facts []fact) []string {
	var key []fact
	for _, f := range facts {
		if core(f.attr) {
			key = append(key, f)
		}
	}
	if len(key) == 0 || a.chance([...]float64{0.5, 0.2}[a.lang]) {
		return nil
	}
	var out []string
	lead := a.either(pick(a.writer, []string{"in short, ", "to sum up, ", "remember: "}),
		pick(a.writer, []string{"总之，", "简而言之，", "请记住："}))
	for i, f := range draw(a.writer, key, a.rng.IntN(2)+1) {
		if i > 0 {
			lead = ""
		}
		out = append(out, a.sentence(lead+a.clause(e, f, true)))
		a.ledger.note(e, f)
	}
	return out
}

func (a *author) heading(e *entity, p float64) string {
	if !a.chance(p) {
		return ""
	}
	return capitalise(e.name(a.lang)) + "\n"
}

// textbook ties facts together where they explain each other, which earns the highest mark.
func (a *author) textbook() document {
	e := a.ledger.entity(a.writer, anyEntity)
	facts := a.ledger.facts(a.writer, e, a.dense()+1)
	a.ledger.note(e, facts...)
	reasons, told := a.reasonsFor(facts, len(facts)-3)
	var out []string
	for _, f := range facts {
		if !told[f.attr] {
			out = append(out, a.statement(e, f, len(out) == 0 || a.chance(0.85)))
		}
	}
	for _, r := range reasons {
		first, _ := e.find(r.first)
		second, _ := e.find(r.second)
		named := len(out) == 0 || a.chance(0.85)
		out = append(out, a.sentence(a.fill(r.text, e, named, first.value(a.lang), second.value(a.lang))))
	}
	out = append(out, a.closing(e, facts)...)
	quality := 4 + min(1, len(reasons))
	return document{a.heading(e, 0.25) + a.join(a.lengthen(out, e, facts)...), quality}
}

// lengthen states facts once more until the paragraph has about 40 words.
func (a *author) lengthen(sentences []string, e *entity, facts []fact) []string {
	for i := a.rng.IntN(len(facts)); utf8.RuneCountInString(a.join(sentences...)) < [...]int{150, 45}[a.lang]; i++ {
		f := facts[i%len(facts)]
		if s := a.statement(e, f, true); !slices.Contains(sentences, s) {
			a.ledger.note(e, f)
			sentences = append(sentences, s)
		}
	}
	return sentences
}

// reasonsFor returns up to n reasons that the facts can fill, none with a fact of another, and the attributes that they
// tell.
func (a *author) reasonsFor(facts []fact, n int) (reasons []reason, told map[attribute]bool) {
	free := map[attribute]bool{}
	for _, f := range facts {
		free[f.attr] = true
	}
	told = map[attribute]bool{}
	for _, r := range draw(a.writer, a.book.reasons, len(a.book.reasons)) {
		if free[r.first] && free[r.second] && len(reasons) < n {
			free[r.first], free[r.second] = false, false
			told[r.first], told[r.second] = true, true
			reasons = append(reasons, r)
		}
	}
	return reasons, told
}

// leaflet speaks to a patient.
func (a *author) leaflet() document {
	e := a.ledger.entity(a.writer, anyEntity)
	facts := a.ledger.facts(a.writer, e, a.dense())
	a.ledger.note(e, facts...)
	var out []string
	for i, f := range facts {
		if i > 0 && a.chance(0.3) {
			out = append(out, a.statement(e, f, true))
			continue
		}
		template := pick(a.writer, a.book.of(f.attr).leaflets)
		out = append(out, a.sentence(a.fill(template, e, true, f.value(a.lang), "")))
	}
	out = append(out, a.filler(e.kind))
	title := ""
	if a.chance(0.4) {
		title = a.either("Information for patients: ", "患者须知：") + e.name(a.lang) + "\n"
	}
	return document{title + a.join(out...), 4}
}

// interview answers readers' questions.
func (a *author) interview() document {
	e := a.ledger.entity(a.writer, anyEntity)
	facts := draw(a.writer, a.ledger.facts(a.writer, e, 3), 3)
	a.ledger.note(e, facts...)
	var out []string
	for _, f := range facts {
		out = append(out, a.join(a.ask(a.book.of(f.attr).asks, e), a.statement(e, f, true)))
	}
	if a.chance(0.5) {
		return document{strings.Join(out, "\n"), 4}
	}
	return document{a.join(out...), 4}
}

// overview lists the facts under their headings.
func (a *author) overview() document {
	e := a.ledger.entity(a.writer, anyEntity)
	facts := a.ledger.facts(a.writer, e, 6)
	a.ledger.note(e, facts...)
	out := []string{capitalise(e.name(a.lang)) + a.either(" at a glance", "要点")}
	for _, f := range facts {
		out = append(out, a.book.of(f.attr).label+a.either(": ", "：")+f.value(a.lang))
	}
	lead := draw(a.writer, facts, 2)
	a.ledger.note(e, lead...)
	for _, f := range lead {
		out = append(out, a.statement(e, f, true))
	}
	return document{strings.Join(out, "\n"), 4}
}
