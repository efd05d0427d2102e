package main

// A preference is a prompt with a better and a worse answer.
type preference struct{ prompt, chosen, rejected string }

var careless = [2][]string{
	{
		"It is probably nothing, just wait and see.", "No idea, maybe drink some water or so.",
		"I would not think about it, such things go away by themselves.",
		"Hm, could be anything, take whatever you have at home.",
		"Not sure, ask somebody else, it hardly matters anyway.",
	},
	{"应该没什么事，等等看吧。", "不太清楚，要不多喝点热水。", "别想太多，过几天自己就好了。", "随便吃点家里的药就行。", "说不准，反正也无所谓。"},
}

var rude = [2][]string{
	{
		"Why do you bother me with that? Look it up yourself.", "What a silly question, everybody knows that.",
		"I have no time for this, do not ask again.", "You would not understand the answer anyway.",
	},
	{"这种问题也来烦我？自己查去。", "真是个傻问题，谁不知道。", "我没空，别再问了。", "跟你说了你也听不懂。"},
}

var hollow = [2][]string{
	{
		"That is a very interesting question. Health is important for everyone, and there are many things to consider.",
		"There are various aspects here. Some say one thing, some say another, " +
			"and in the end everything depends on everything.",
		"Thank you for asking. This topic is broad and deep, and one could talk about it for a long time.",
		"As we all know, life is full of questions, and medicine has many answers to many of them.",
	},
	{
		"这是一个非常有意思的问题。健康对每个人都很重要，需要考虑很多方面。", "这个话题有很多方面，说法也不少，归根到底要看情况。",
		"感谢您的提问。这个问题博大精深，可以谈很久很久。", "众所周知，生活中有许多问题，医学也有许多答案。",
	},
}

// subjective sets a correct and helpful answer against a careless, rude or hollow one, or one about something else.
func (w *writer) subjective(all []*entity) preference {
	e := pick(w, all)
	f := pick(w, e.facts)
	p := preference{
		prompt: w.ask(w.book.of(f.attr).asks, e),
		chosen: w.join(w.statement(e, f, true), w.filler(e.kind)),
	}
	switch x := w.rng.Float64(); {
	case x < 0.2:
		p.rejected = w.astray(all, e, f)
	case x < 0.45:
		p.rejected = pick(w, careless[w.lang])
	case x < 0.75:
		p.rejected = pick(w, rude[w.lang])
	default:
		p.rejected = pick(w, hollow[w.lang])
	}
	return p
}

// astray answers the question for another entity.
func (w *writer) astray(all []*entity, e *entity, f fact) string {
	for {
		o := pick(w, all)
		g, ok := o.find(f.attr)
		if ok && o.kind == e.kind && g.value(w.lang) != f.value(w.lang) {
			return w.join(w.statement(o, g, true), w.filler(o.kind))
		}
	}
}

// objective sets the right answer to an exam question against the right answer to another entity's.
func (w *writer) objective(all []*entity, m mention) preference {
	q := w.question(all, m, w.book.of(m.attr).items, w.rng.IntN(4))
	wrong := (q.answer + 1 + w.rng.IntN(3)) % 4
	return preference{q.text, q.options[q.answer], q.options[wrong]}
}
