package main

import (
	"fmt"
	"strings"
)

// rubbish writes a document that no one should learn from, with 1 point when some information is left in it, else 0. It
// is not entered in the ledger.
func (a *author) rubbish() document {
	styles := []func() document{a.advert, a.advert, a.stutter, a.scrambled, a.scrambled, a.markup, a.spam, a.spam,
		a.boilerplate, a.noise}
	return pick(a.writer, styles)()
}

func (a *author) random() (*entity, fact) {
	e := pick(a.writer, a.ledger.entities)
	return e, pick(a.writer, e.facts)
}

// advert sells something and states one fact in passing.
func (a *author) advert() document {
	e, f := a.random()
	lines := draw(a.writer, adverts[a.lang], 4)
	out := []string{a.sales(lines[0]), a.statement(e, f, true)}
	for _, l := range lines[1:] {
		out = append(out, a.sales(l))
	}
	return document{a.join(out...), 1}
}

var adverts = [2][]string{
	{
		"BUY NOW!!! Only today our wonder capsules cost half!!!",
		"Call 555-01{D} now, our friendly team waits for your order!",
		"100 % natural, 100 % guaranteed, 100 % amazing!!!",
		"Dr. Goldcure's secret drops sell out fast, click here >>>",
		"Free shipping on all orders, limited offer, don't miss it!!!",
		"Thousands of happy customers can't be wrong $$$",
	},
	{
		"立即抢购！！！今天神奇胶囊半价！！！", "订购热线400-000-{N}，客服在线等您！", "百分百天然，百分百有效，假一赔十！！！",
		"金神医祖传滴剂，手慢无，点击进入>>>", "全场包邮，限时特惠，错过再等一年！！！", "千万顾客的共同选择，好评如潮￥￥￥",
	},
}

func (a *author) sales(line string) string {
	number := strings.NewReplacer("{D}", fmt.Sprint(10+a.rng.IntN(90)), "{N}", fmt.Sprint(1000+a.rng.IntN(9000)))
	return number.Replace(line)
}

// stutter repeats one line.
func (a *author) stutter() document {
	e, f := a.random()
	line := a.statement(e, f, true)
	return document{strings.Repeat(line+"\n", 4+a.rng.IntN(4)) + line, 1}
}

// scrambled has lost its word order.
func (a *author) scrambled() document {
	e := pick(a.writer, a.ledger.entities)
	var sentences []string
	for _, f := range draw(a.writer, e.facts, 4) {
		sentences = append(sentences, a.clause(e, f, true))
	}
	pieces := strings.Fields(strings.Join(sentences, " "))
	gap := " "
	if a.lang == chinese {
		pieces, gap = chunks(strings.Join(sentences, "，"), 2), ""
	}
	a.rng.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	return document{strings.Join(pieces, gap), 1}
}

func chunks(s string, size int) []string {
	runes := []rune(s)
	var out []string
	for i := 0; i < len(runes); i += size {
		out = append(out, string(runes[i:min(i+size, len(runes))]))
	}
	return out
}

// markup is a page that was cut off in the middle of its tags.
func (a *author) markup() document {
	e, f := a.random()
	text := fmt.Sprintf(`<div class="art-%d"><p style="margin:0">%s</p>`+
		`<ul><li><a href="/page?id=%d&amp;ref=top">%s</a></li>`+
		`<li><span class="ad">&nbsp;</span></li><script>var q={"id":%d};</script><p>%s`, a.rng.IntN(100),
		a.statement(e, f, true), a.rng.IntN(9999), e.name(a.lang), a.rng.IntN(9999), a.clause(e, f, false))
	return document{text + ` <a hr`, 1}
}

// spam is nothing but links and numbers.
func (a *author) spam() document {
	var out []string
	for range 4 + a.rng.IntN(3) {
		word := pick(a.writer, []string{"cheap", "pills", "deal", "win", "bonus", "health", "sale"})
		out = append(out, fmt.Sprintf("http://%s%d.example/%s?id=%d %s", word, a.rng.IntN(100),
			pick(a.writer, []string{"buy", "go", "click", "top"}), a.rng.IntN(99999),
			pick(a.writer, [...][]string{{"click here!!!", "best price", "hot hot hot", "join now", "free $$$"},
				{"点击领取", "加微信", "限时优惠", "热卖中", "免费送￥￥￥"}}[a.lang])))
	}
	return document{strings.Join(out, "\n"), 0}
}

// boilerplate is the frame of a web page without the page.
func (a *author) boilerplate() document {
	items := [...][]string{
		{"Home", "About us", "Login", "Register", "Cart (0)", "Contact", "Privacy policy", "Accept all cookies",
			"Share this page", "Next >", "< Back", "Copyright 20{Y} All rights reserved", "Powered by SiteKit {Y}.0",
			"Read more...", "Loading..."},
		{"首页", "关于我们", "登录", "注册", "购物车(0)", "联系我们", "隐私政策", "接受全部Cookie", "分享到朋友圈", "下一页>", "<返回",
			"版权所有20{Y}", "技术支持SiteKit {Y}.0", "阅读全文...", "加载中..."},
	}[a.lang]
	text := strings.Join(draw(a.writer, items, 10), " | ")
	return document{strings.ReplaceAll(text, "{Y}", fmt.Sprint(10+a.rng.IntN(15))), 0}
}

// noise is a file that is no text at all.
func (a *author) noise() document {
	const letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789+/=#%&~"
	var b strings.Builder
	for i := range 160 + a.rng.IntN(120) {
		b.WriteByte(letters[a.rng.IntN(len(letters))])
		if i%37 == 36 {
			b.WriteByte('\n')
		}
	}
	return document{b.String(), 0}
}
