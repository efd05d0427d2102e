package reference

import "math/bits"

// A topic is something that phrases give away.
type topic int

const (
	loremIpsum topic = iota
	javascript
	policy
	topics    // how many there are
	stopWords // has a bit for each word instead of a count
)

// A phrase is a run of words, by their hashes, that is looked for in every line.
type phrase struct {
	words []uint64
	topic topic
	lang  language // of a stop word
	bit   uint64
}

// Stop words of English are Gopher's. Those of Chinese are of our choice, modern and classical: text of either kind has
// some.
var (
	englishStops = []string{"the", "be", "to", "of", "and", "that", "have", "with"}
	chineseStops = []string{"的", "了", "是", "在", "和", "有", "不", "与", "及", "等", "为", "会", "可", "这", "也", "而",
		"之", "其", "以", "者", "则", "於", "于", "為", "與", "矣", "乃", "曰", "无"}
)

// Boilerplate is C4's, and its like in Chinese.
var boilerplate = []struct {
	topic   topic
	phrases []string
}{
	{loremIpsum, []string{"lorem ipsum"}},
	{javascript, []string{"javascript"}},
	{policy, []string{"terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies",
		"隐私政策", "用户协议", "服务条款", "版权所有", "免责声明"}},
}

// dictionary holds the phrases by the hash of their first word, and likely a quick test for it.
var dictionary, likely = func() (map[uint64][]phrase, [1 << 10]bool) {
	d := map[uint64][]phrase{}
	var first [1 << 10]bool
	add := func(text string, p phrase) {
		var s scanner
		s.characters(text)
		p.words = s.hashes
		d[p.words[0]] = append(d[p.words[0]], p)
		first[slotOf(p.words[0])] = true
	}
	for lang, words := range [][]string{english: englishStops, chinese: chineseStops} {
		for i, w := range words {
			add(w, phrase{topic: stopWords, lang: language(lang), bit: 1 << i})
		}
	}
	for _, b := range boilerplate {
		for _, text := range b.phrases {
			add(text, phrase{topic: b.topic})
		}
	}
	return d, first
}()

func slotOf(hash uint64) uint64 { return hash * odd >> 54 }

// phrases counts the phrases in the words of a line, and the line for each topic that it has.
func (s *scanner) phrases(words []uint64) {
	var line [topics]int
	for i, w := range words {
		if !likely[slotOf(w)] {
			continue
		}
		for _, p := range dictionary[w] {
			switch {
			case p.topic == stopWords:
				s.m.stop[p.lang] |= p.bit
			case startsWith(words[i:], p.words):
				s.m.found[p.topic]++
				line[p.topic] = 1
			}
		}
	}
	for t, n := range line {
		s.m.foundLines[t] += n
	}
}

func startsWith(words, phrase []uint64) bool {
	if len(words) < len(phrase) {
		return false
	}
	for i, w := range phrase {
		if words[i] != w {
			return false
		}
	}
	return true
}

// stopWords returns how many stop words of the document's language occur.
func (m *measures) stopWords() int { return bits.OnesCount64(m.stop[m.lang]) }
