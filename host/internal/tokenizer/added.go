package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// An addedToken is an entry of added_tokens in tokenizer.json.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// A finder cuts added tokens, such as <tool_call>, out of a text. The zero finder finds nothing.
type finder struct {
	tokens   []addedToken
	trie     trie // values are indices of tokens
	first    [256]bool
	ordinary bool // not all tokens are special
}

// newFinder makes a finder of tokens. Of two with one content the first counts.
func newFinder(tokens []addedToken) finder {
	f := finder{tokens: tokens}
	var entries []entry
	for i := len(tokens) - 1; i >= 0; i-- {
		entries = append(entries, entry{tokens[i].Content, int32(i)})
		f.first[tokens[i].Content[0]] = true
		f.ordinary = f.ordinary || !tokens[i].Special
	}
	f.trie = newTrie(entries)
	return f
}

// cut hands on text in order: what lies between the tokens, unless it is empty, to plain, with its place, tokens to
// token. Special tokens are cut out only if special is set; otherwise they are found, so that what lies within them is
// not, and left as text.
func (f *finder) cut(text string, special bool, plain func(at int, s string), token func(id int32)) {
	from := 0
	for i := 0; (special || f.ordinary) && i < len(text); {
		if !f.first[text[i]] {
			i++
			continue
		}
		n, index := f.trie.longest(text[i:])
		if n == 0 {
			i++
			continue
		}
		t := &f.tokens[index]
		start, end := i, i+n
		i = end
		if t.Special && !special || t.SingleWord && !standsAlone(text[:start], text[end:]) {
			continue
		}
		start, end = t.stretch(text, from, start, end)
		if from < start {
			plain(from, text[from:start])
		}
		token(t.ID)
		from = end
	}
	if from < len(text) {
		plain(from, text[from:])
	}
}

// stretch takes the white space around a token at start into it, as its options say, but none before from.
func (t *addedToken) stretch(text string, from, start, end int) (int, int) {
	if t.LStrip {
		start = max(from, len(strings.TrimRightFunc(text[:start], unicode.IsSpace)))
	}
	if t.RStrip {
		end = len(text) - len(strings.TrimLeftFunc(text[end:], unicode.IsSpace))
	}
	return start, end
}

// standsAlone says whether there is no word character at the end of before or the start of after.
func standsAlone(before, after string) bool {
	last, n := utf8.DecodeLastRuneInString(before)
	first, m := utf8.DecodeRuneInString(after)
	return !(n > 0 && has(last, wordChar)) && !(m > 0 && has(first, wordChar))
}
