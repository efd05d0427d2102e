package main

import "strings"

// mediocre writes a document that a reader can use but would not choose. It earns 3 points when it keeps to its subject
// and 2 when it does not or when somebody advertises in it.
func (a *author) mediocre(others []*entity) document {
	switch x := a.rng.Float64(); {
	case x < 0.45:
		return a.wordy()
	case x < 0.75:
		return a.rambling(others)
	default:
		return a.sponsored()
	}
}

var padding = [2][]string{
	{
		"it is well known to practically everybody that ", "as has been said so many times before, ",
		"needless to say, ",
		"when all is said and done, it can be said that ", "most people have heard at some time or other that ",
		"it goes without saying, but may be said again, that ",
	},
	{"众所周知，", "大家都听说过，", "不用多说，", "说来说去，还是那句话，", "前面可能已经讲过，", "可以这样讲，"},
}

var waffle = [2][]string{
	{
		"there is a lot more that one could say about this, and a lot has been said.",
		"this is an interesting subject for many people for many reasons.",
		"opinions differ, as they do about most things in life.",
		"that is simply how things are, at least in general and most of the time.",
		"of course every case is a little different, or sometimes very different.",
	},
	{
		"关于这个话题还可以说很多很多。", "这确实是一个大家都很关心的问题。", "当然，每个人的看法不一定一样。",
		"总的来说情况大概就是这样吧。", "具体怎么样还要看具体的情况。",
	},
}

var chatter = [2][]string{
	{
		"by the way, my neighbour has bought a new bicycle.", "but I wanted to write about my holiday first.",
		"anyway, where was I?", "yesterday the bus was late again.", "sorry, I got off the subject once more.",
	},
	{"对了，我邻居昨天买了一辆新车。", "哎，本来想先写写我的旅行。", "刚才说到哪儿了？", "昨天公交车又晚点了。", "不好意思，又跑题了。"},
}

var sponsors = [2][]string{
	{
		"this page is brought to you by our friends at the Green Leaf shop.",
		"order our famous herbal tea today and get the second box free!",
		"readers of this article receive a discount on all our products.",
		"subscribe to our newsletter and win a wellness weekend!",
	},
	{"本文由绿叶养生馆赞助播出。", "现在订购本店养生茶，买一盒送一盒！", "本文读者购买全场商品可享优惠。", "关注我们的公众号，赢取养生周末大奖！"},
}

// wordy says little in many words, but to the point.
func (a *author) wordy() document {
	e := a.ledger.entity(a.writer, anyEntity)
	facts := a.ledger.facts(a.writer, e, 3)
	a.ledger.note(e, facts...)
	out := []string{capitalise(pick(a.writer, waffle[a.lang]))}
	for _, f := range facts {
		out = append(out, a.sentence(pick(a.writer, padding[a.lang])+a.clause(e, f, true)))
	}
	out = append(out, capitalise(pick(a.writer, waffle[a.lang])))
	return document{a.join(out...), 3}
}

// rambling mixes subjects.
func (a *author) rambling(others []*entity) document {
	var out []string
	for range 2 {
		e := a.ledger.entity(a.writer, anyEntity)
		facts := a.ledger.facts(a.writer, e, 2)
		a.ledger.note(e, facts...)
		for _, f := range facts {
			out = append(out, a.statement(e, f, true))
		}
		other := pick(a.writer, others)
		out = append(out, capitalise(pick(a.writer, chatter[a.lang])),
			a.statement(other, pick(a.writer, other.facts), true))
	}
	return document{a.join(out...), 2}
}

// sponsored puts advertising between true sentences.
func (a *author) sponsored() document {
	e := a.ledger.entity(a.writer, anyEntity)
	facts := a.ledger.facts(a.writer, e, 3)
	a.ledger.note(e, facts...)
	ads := draw(a.writer, sponsors[a.lang], 2)
	var out []string
	for i, f := range facts {
		if i > 0 {
			out = append(out, capitalise(ads[i-1]))
		}
		out = append(out, a.statement(e, f, true))
	}
	return document{strings.TrimSpace(a.join(out...)), 2}
}
