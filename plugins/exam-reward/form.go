package examreward

import "slices"

// Words that lead to the chosen option when a link follows, as in: the answer is B.
var linked = words("answer", "answers", "ans", "correct option", "correct choice", "right option", "right choice",
	"best option", "best choice", "答案", "正确选项", "正确的选项", "正确的是", "最佳选项")

// Words that lead to it without one: I choose B; 故选B.
var direct = words("choose", "select", "pick", "chose", "选择", "选", `\boxed`)

var links = words("is", "are", "would be", "should be", "must be", "应该是", "应该为", "应是", "应为", "是", "为", "选项",
	"选择", "选", ":", "=", "→")

// Words between a link and its letter, and between a word that leads and its link.
var (
	fillers = words("most likely", "likely", "probably", "therefore", "option", "choice", "letter", "选项",
		`\boxed`, `\text`, `\textbf`, `\mathrm`, `\mathbf`)
	topics = words("to this question", "to the question", "to your question", "choice", "option")
)

// What stands before a word that leads to an option that is not chosen.
var negations = words("not", "don't", "don’t", "wouldn't", "never", "cannot", "can't", "wrong", "incorrect",
	"不", "不能", "不应", "不应该", "不可", "不宜", "不会", "不该", "不要", "勿", "别", "未", "误", "错误", "错误的", "不正确的", "非")

// statements returns the options of all statements.
func (t *folded) statements() (all options) {
	for i := range t.lower {
		n, bare := t.has(i, linked), false
		if n == 0 {
			n, bare = t.has(i, direct), true
		}
		if n > 0 && !t.endsWith(i, negations) {
			all |= t.statement(i+n, bare)
		}
	}
	return all
}

// statement returns the options that follow a word that leads to them, which ends at i. Without a link they count after
// a bare word, or when nothing follows them.
func (t *folded) statement(i int, bare bool) options {
	if n := t.has(t.skip(i, dressing), topics); n > 0 {
		i = t.skip(i, dressing) + n
	}
	i, isLinked := t.past(i, links)
	if isLinked || bare {
		i, _ = t.past(i, fillers)
	}
	found, end := t.letters(i)
	follows := isLinked || bare || t.ends(t.skip(end, closers))
	if found == 0 || !follows || t.lists(found, i, end) {
		return 0
	}
	return found
}

// lists tells whether what was found between i and end begins a line, and the next line begins with the next option:
// that is the question repeated.
func (t *folded) lists(found options, i, end int) bool {
	if !slices.Contains(t.text[max(0, i-2):end], '\n') {
		return false
	}
	for end < len(t.text) && t.text[end] != '\n' {
		end++
	}
	return t.lineStart(t.skip(end, dressing+"\n")) == found<<1
}

// past goes on behind the words, however many, and what dresses them.
func (t *folded) past(i int, list [][]rune) (next int, any bool) {
	for {
		start := t.skip(i, openers+"\n")
		n := t.has(start, list)
		if n == 0 {
			return i, any
		}
		i, any = t.skip(start+n, openers+"\n"), true
	}
}

// ends tells whether a sentence ends at i.
func (t *folded) ends(i int) bool {
	switch t.at(i) {
	case 0, '\n', '.', '。', ';', '!':
		return true
	}
	return false
}

// What says of the letter before it that it is the answer.
var right = words("is correct", "is right", "is the answer", "is the correct answer", "is the right answer",
	"is the best answer", "is the correct option", "is the best option", "is the correct choice", "is the best choice",
	"is the most likely answer",
	"是正确的", "是正确答案", "是对的", "为正确答案", "正确", "项正确", "项是正确的")

// verdicts returns the options of which the text says that they are right.
func (t *folded) verdicts() (all options) {
	for i := range t.text {
		if isSmall(t.text[i]) {
			continue
		}
		if o, end := t.letters(i); o != 0 && t.has(t.skip(end, closers), right) > 0 {
			all |= o
		}
	}
	return all
}

// lineStarts returns the options that begin a line: alone, in brackets, or before a mark.
func (t *folded) lineStarts() (all options) {
	for i := range t.text {
		if t.at(i-1) == '\n' || i == 0 {
			all |= t.lineStart(t.skip(i, dressing+"->"))
		}
	}
	return all
}

func (t *folded) lineStart(i int) options {
	inBrackets := t.skip(i, openers) > i
	if !inBrackets && isSmall(t.at(i)) {
		return 0
	}
	found, end := t.letters(i)
	if after := t.skip(end, dressing); found != 0 && (t.ends(after) || contains(")]}】:、,", t.at(after))) {
		return found
	}
	return 0
}

// bracketed returns the capital letters that stand in brackets.
func (t *folded) bracketed() (all options) {
	for i, r := range t.text {
		if contains("([{【", r) && !isSmall(t.at(i+1)) && contains(")]}】", t.at(i+2)) {
			all |= option(t.at(i + 1))
		}
	}
	return all
}
