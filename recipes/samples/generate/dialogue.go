package main

// A turn pair is a question of the user and the assistant's answer.
type exchange struct{ question, answer string }

// openings introduce the entity so that even the first question can do without its name.
var openings = [2]map[kind][]string{
	{
		disease: {"A friend of mine has {E}.", "The doctor suspects {E}.", "I would like to talk about {E}."},
		drug: {"I have been given {E}.", "There is a box of {E} in our kitchen.",
			"I have a question about {E}."},
		nutrient:    {"I read about {E} in a magazine.", "Everybody speaks of {E} these days."},
		organ:       {"We are learning about {E} at school.", "I have a question about {E}."},
		examination: {"I am going to have {E} next week.", "My doctor mentioned {E}."},
	},
	{
		disease:     {"我的朋友得了{E}。", "医生怀疑是{E}。", "我想了解一下{E}。"},
		drug:        {"医生给我开了{E}。", "家里有一盒{E}。", "我想问问{E}。"},
		nutrient:    {"我在杂志上看到{E}。", "最近大家都在谈{E}。"},
		organ:       {"我们在学校学到{E}。", "我想问问{E}。"},
		examination: {"我下周要做{E}。", "医生提到了{E}。"},
	},
}

// talk returns n exchanges about one entity. Only the first names it in the question.
func (a *author) talk(e *entity, n int) []exchange {
	var out []exchange
	facts := a.ledger.facts(a.writer, e, n)
	a.ledger.note(e, facts...)
	for i, f := range draw(a.writer, facts, n) {
		words := a.book.of(f.attr)
		q := capitalise(pick(a.writer, words.follows))
		switch {
		case i == 0 && a.chance(0.5):
			q = a.ask(words.asks, e)
		case i == 0:
			q = a.join(a.fill(pick(a.writer, openings[a.lang][e.kind]), e, true, "", ""), q)
		}
		out = append(out, exchange{q, a.answer(e, f)})
	}
	return out
}

// answer states the fact, names the entity nearly always, and sometimes adds advice.
func (w *writer) answer(e *entity, f fact) string {
	if w.chance(0.1) {
		return w.join(w.statement(e, f, true), w.filler(e.kind))
	}
	return w.statement(e, f, w.chance(0.95))
}

// unrelated is a talk whose later exchanges come from talks about other entities, so that the history does not help
// them.
func (a *author) unrelated() []exchange {
	first := a.ledger.entity(a.writer, anyEntity)
	out := a.talk(first, 1)
	for range 1 + a.rng.IntN(2) {
		other := a.ledger.entity(a.writer, func(e *entity) bool { return e != first })
		out = append(out, a.talk(other, 2)[1])
	}
	return out
}

// redundant is a talk in which one exchange comes again and again.
func (a *author) redundant() []exchange {
	out := a.talk(a.ledger.entity(a.writer, anyEntity), 2)
	for range 3 + a.rng.IntN(2) {
		out = append(out, out[1])
	}
	return out
}

// quiz is an exam item as a dialogue of one exchange: with its options and their letter, or with the answer alone.
func (w *writer) quiz(all []*entity, m mention) []exchange {
	q := w.question(all, m, w.book.of(m.attr).items, w.rng.IntN(4))
	if w.chance(0.5) {
		return []exchange{{q.text, q.options[q.answer]}}
	}
	return []exchange{{q.prompt(), letter(q.answer) + ". " + q.options[q.answer]}}
}
