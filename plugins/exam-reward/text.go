package examreward

import (
	"slices"
	"unicode"
)

// A folded text has full-width forms of ASCII replaced by ASCII; lower is the same in lower case, character by
// character.
type folded struct{ text, lower []rune }

func fold(s string) *folded {
	t := &folded{text: []rune(s)}
	for i, r := range t.text {
		if r >= '！' && r <= '～' {
			t.text[i] = r - '！' + '!'
		}
	}
	t.lower = slices.Clone(t.text)
	for i, r := range t.lower {
		if r >= 'A' && r <= 'Z' {
			t.lower[i] = r - 'A' + 'a'
		}
	}
	return t
}

// at returns the character at i, 0 outside of the text.
func (t *folded) at(i int) rune {
	if i < 0 || i >= len(t.text) {
		return 0
	}
	return t.text[i]
}

// has returns the length of the first of the words that stands at i in any case, 0 when none does. A Latin word is
// whole.
func (t *folded) has(i int, words [][]rune) int {
	for _, w := range words {
		if i+len(w) > len(t.lower) || !slices.Equal(t.lower[i:i+len(w)], w) {
			continue
		}
		if isLatin(w[0]) && isLatin(t.at(i-1)) || isLatin(w[len(w)-1]) && isLatin(t.at(i+len(w))) {
			continue
		}
		return len(w)
	}
	return 0
}

// endsWith tells whether one of the words stands before i, spaces aside.
func (t *folded) endsWith(i int, words [][]rune) bool {
	for i > 0 && t.text[i-1] == ' ' {
		i--
	}
	return slices.ContainsFunc(words, func(w []rune) bool { return i >= len(w) && t.has(i-len(w), [][]rune{w}) > 0 })
}

// skip returns the first place from i on where none of the characters stands.
func (t *folded) skip(i int, characters string) int {
	for i < len(t.text) && contains(characters, t.text[i]) {
		i++
	}
	return i
}

func contains(characters string, r rune) bool {
	for _, c := range characters {
		if c == r {
			return true
		}
	}
	return false
}

func isLatin(r rune) bool { return r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// words makes a list of words for has. Where one begins another, the longer comes first.
func words(list ...string) [][]rune {
	all := make([][]rune, len(list))
	for i, w := range list {
		all[i] = []rune(w)
	}
	return all
}
