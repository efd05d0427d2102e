package main

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A mention is one statement of one fact.
type mention struct {
	entity *entity
	attr   attribute
}

// A writer renders sentences in one language from its own stream of random numbers.
type writer struct {
	lang language
	book phrasebook
	rng  *rand.Rand
	held bool // prefer the wording that training documents never use
}

// newWriter starts the stream that belongs to a name, so that no file depends on what was written before it.
func newWriter(l language, name string) *writer {
	h := fnv.New64a()
	h.Write([]byte(name + "/" + l.String()))
	return &writer{lang: l, book: phrases(l), rng: rand.New(rand.NewPCG(2412, h.Sum64()))}
}

func pick[T any](w *writer, from []T) T { return from[w.rng.IntN(len(from))] }

// common picks by Zipf's law, as people do: the first element twice as often as the second.
func common[T any](w *writer, from []T) T {
	var sum float64
	for i := range from {
		sum += 1 / float64(i+1)
	}
	x := w.rng.Float64() * sum
	for i, t := range from {
		if x -= 1 / float64(i+1); x < 0 {
			return t
		}
	}
	return from[0]
}

func (w *writer) chance(p float64) bool { return w.rng.Float64() < p }

// draw returns n different elements in random order, or all when there are fewer.
func draw[T any](w *writer, from []T, n int) []T {
	order := w.rng.Perm(len(from))
	var out []T
	for _, i := range order[:min(n, len(from))] {
		out = append(out, from[i])
	}
	return out
}

// fill puts an entity and its values into a template, by name or by pronoun.
func (w *writer) fill(template string, e *entity, named bool, v, second string) string {
	subject, elsewhere := e.name(w.lang), e.name(w.lang)
	if !named {
		subject, elsewhere = pick(w, w.book.subjects[e.kind]), pick(w, w.book.pronouns[e.kind])
		if strings.Contains(template, "{O}") && strings.Contains(template, "{S}") {
			subject = elsewhere
		}
	}
	return strings.NewReplacer("{S}", subject, "{O}", elsewhere, "{E}", e.name(w.lang), "{V}", v, "{W}", second).
		Replace(template)
}

// clause states a fact without capital and full stop.
func (w *writer) clause(e *entity, f fact, named bool) string {
	words := w.book.of(f.attr)
	template := common(w, words.states)
	if w.held && w.chance(0.5) {
		template = pick(w, words.held)
	}
	return w.fill(template, e, named, f.value(w.lang), "")
}

func (w *writer) statement(e *entity, f fact, named bool) string {
	return w.sentence(w.clause(e, f, named))
}

// sentence finishes a clause.
func (w *writer) sentence(clause string) string {
	if w.lang == chinese {
		return clause + "。"
	}
	return capitalise(clause) + "."
}

func capitalise(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// join makes a paragraph of sentences.
func (w *writer) join(sentences ...string) string {
	if w.lang == chinese {
		return strings.Join(sentences, "")
	}
	return strings.Join(sentences, " ")
}

// linked states a fact after a connective.
func (w *writer) linked(e *entity, f fact) string {
	return w.sentence(pick(w, w.book.links) + w.clause(e, f, true))
}

func (w *writer) filler(k kind) string { return w.sentence(pick(w, w.book.fillers[k])) }

// ask returns a question about a fact, with a capital and its own question mark.
func (w *writer) ask(questions []string, e *entity) string {
	return capitalise(w.fill(pick(w, questions), e, true, "", ""))
}

// either picks the text of the writer's language.
func (w *writer) either(en, zh string) string { return [...]string{en, zh}[w.lang] }
