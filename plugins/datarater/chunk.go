package datarater

import (
	"strings"
	"unicode/utf8"
)

// specials are the tokens that a model puts around its input.
const specials = 2

// cost estimates the tokens of a text, in thirds of a token: three for each character, one for those of ASCII. That is
// cautious, made for vocabularies of some thousand entries; large ones need about half. What is too long all the same
// is cut by the host at the chunk's end.
func cost(text string) int {
	ascii := 0
	for i := range len(text) {
		if text[i] < utf8.RuneSelf {
			ascii++
		}
	}
	return 3*(utf8.RuneCountInString(text)-ascii) + ascii
}

// borders are the places where a text may be cut, from the best to the worst: after a blank line, a line, a sentence, a
// word.
var borders = []func(text string) int{
	func(text string) int { return after(text, "\n\n") },
	func(text string) int { return after(text, "\n") },
	sentenceEnd,
	func(text string) int { return after(text, " ") },
	func(text string) int { _, size := utf8.DecodeRuneInString(text); return size },
}

// chunks cuts a text into parts of at most size estimated tokens each, at the best borders that allow it. Parts have no
// spaces around them and none is blank.
func chunks(text string, size int) []string {
	var all []string
	for _, part := range divide(strings.TrimSpace(text), 3*size, 0) {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// divide cuts at borders of a level, puts together what fits, and cuts at the next level what does not.
func divide(text string, size, level int) []string {
	if cost(text) <= size || level == len(borders) {
		return []string{text}
	}
	var parts []string
	start, at, held := 0, 0, 0
	flush := func() {
		if start < at {
			parts = append(parts, text[start:at])
		}
		start, held = at, 0
	}
	for at < len(text) {
		n := borders[level](text[at:])
		c := cost(text[at : at+n])
		if held+c > size {
			flush()
		}
		if c > size {
			parts = append(parts, divide(text[at:at+n], size, level+1)...)
			at += n
			start = at
			continue
		}
		held += c
		at += n
	}
	flush()
	return parts
}

// after returns the bytes up to and including the first separator, all of them when there is none.
func after(text, separator string) int {
	if i := strings.Index(text, separator); i >= 0 {
		return i + len(separator)
	}
	return len(text)
}

// sentenceEnd returns the bytes of the first sentence: up to a full-width mark, or a mark and a space.
func sentenceEnd(text string) int {
	for i, r := range text {
		next := i + utf8.RuneLen(r)
		switch r {
		case '。', '！', '？', '；':
			return next
		case '.', '!', '?', ';':
			if next < len(text) && text[next] == ' ' {
				return next + 1
			}
		}
	}
	return len(text)
}
