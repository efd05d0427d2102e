package tokenizer

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A splitter cuts a text that is not empty into pieces, none of them empty, and hands them on in order.
type splitter func(text string, yield func(piece string))

// A behavior says what becomes of the matches of a pattern and of what lies between them. It takes all parts of a text
// in order and returns the pieces.
type behavior func(parts []part) []part

// A part is a stretch of a text that matches or lies between matches.
type part struct {
	start, end int
	match      bool
}

var behaviors = map[string]behavior{
	"Removed":            removed,
	"Isolated":           isolated,
	"Contiguous":         contiguous,
	"MergedWithPrevious": mergedWithPrevious,
	"MergedWithNext":     mergedWithNext,
}

func isolated(parts []part) []part { return parts }

// removed drops the matches.
func removed(parts []part) []part {
	return slices.DeleteFunc(parts, func(p part) bool { return p.match })
}

// contiguous joins neighbouring matches.
func contiguous(parts []part) []part {
	var out []part
	for _, p := range parts {
		if n := len(out); n > 0 && out[n-1].match == p.match {
			out[n-1].end = p.end
		} else {
			out = append(out, p)
		}
	}
	return out
}

// mergedWithPrevious joins a match to what lies before it, but not to another match.
func mergedWithPrevious(parts []part) []part {
	var out []part
	for i, p := range parts {
		if i > 0 && p.match && !parts[i-1].match {
			out[len(out)-1].end = p.end
		} else {
			out = append(out, p)
		}
	}
	return out
}

// mergedWithNext joins a match to what lies behind it, but not to another match.
func mergedWithNext(parts []part) []part {
	var out []part
	for i, p := range parts {
		if i > 0 && parts[i-1].match && !p.match {
			out[len(out)-1].end = p.end
		} else {
			out = append(out, p)
		}
	}
	return out
}

// cutBy makes a splitter of a pattern.
func cutBy(find finderFunc, b behavior) splitter { return cutAs(find, b, false) }

// cutInverted is cutBy with what lies between the matches for the matches.
func cutInverted(find finderFunc, b behavior) splitter { return cutAs(find, b, true) }

func cutAs(find finderFunc, b behavior, invert bool) splitter {
	return func(text string, yield func(string)) {
		var parts []part
		at := 0
		for _, m := range find(text) {
			if at < m.start {
				parts = append(parts, part{at, m.start, invert})
			}
			parts = append(parts, part{m.start, m.end, !invert})
			at = m.end
		}
		if at < len(text) {
			parts = append(parts, part{at, len(text), invert})
		}
		for _, p := range b(parts) {
			if p.start < p.end {
				yield(text[p.start:p.end])
			}
		}
	}
}

// The patterns that have a splitter written by hand. All three match every text without gaps.
const (
	gpt2Pattern   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	llama3Pattern = beforeNumbers + `|\p{N}{1,3}|` + afterNumbers
	qwen2Pattern  = beforeNumbers + `|\p{N}|` + afterNumbers

	beforeNumbers = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+`
	afterNumbers  = ` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

var handwritten = map[string]splitter{
	gpt2Pattern:   repeat(gpt2Piece),
	llama3Pattern: repeat(func(s string) int { return llama3Piece(s, 3) }),
	qwen2Pattern:  repeat(func(s string) int { return llama3Piece(s, 1) }),
}

// repeat makes a splitter of a function that measures the first piece of a text.
func repeat(first func(string) int) splitter {
	return func(text string, yield func(string)) {
		for len(text) > 0 {
			n := first(text)
			yield(text[:n])
			text = text[n:]
		}
	}
}

// gpt2Piece measures the first match of gpt2Pattern.
func gpt2Piece(s string) int {
	if n := contraction(s, false); n > 0 {
		return n
	}
	start := 0
	if s[0] == ' ' {
		start = 1
	}
	r, _ := utf8.DecodeRuneInString(s[start:])
	if c := classOf(r); start < len(s) && c != space && c != newline {
		return span(s, start, c)
	}
	return blanks(s, false)
}

// llama3Piece measures the first match of llama3Pattern, with digits in groups of at most that many.
func llama3Piece(s string, digits int) int {
	if n := contraction(s, true); n > 0 {
		return n
	}
	r, n := utf8.DecodeRuneInString(s)
	c := classOf(r)
	if c == number {
		return numbers(s, digits)
	}
	if c == letter {
		return span(s, 0, letter)
	}
	if c != newline {
		if end := span(s, n, letter); end > n {
			return end
		}
	}
	start := 0
	if s[0] == ' ' {
		start = 1
	}
	if end := span(s, start, other); end > start {
		return span(s, end, newline)
	}
	return blanks(s, true)
}

// contraction measures what 's|'t|'re|'ve|'m|'ll|'d matches at the start of s. With fold case does not matter; ſ is an
// s then.
func contraction(s string, fold bool) int {
	if s[0] != '\'' || len(s) < 2 {
		return 0
	}
	if fold && strings.HasPrefix(s[1:], "ſ") {
		return 1 + len("ſ")
	}
	lower := func(b byte) byte {
		if fold && 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		return b
	}
	var second byte
	switch lower(s[1]) {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		second = 'e'
	case 'l':
		second = 'l'
	}
	if second != 0 && len(s) > 2 && lower(s[2]) == second {
		return 3
	}
	return 0
}

// numbers measures the run of at most limit numbers at the start of s.
func numbers(s string, limit int) int {
	end := 0
	for range limit {
		r, n := utf8.DecodeRuneInString(s[end:])
		if n == 0 || classOf(r) != number {
			break
		}
		end += n
	}
	return end
}

// blanks measures the piece of white space at the start of s, which starts with some: up to the last line break if
// lines count (\s*[\r\n]+), else all of it at the end of the text, else all but the last character (\s+(?!\S)), else
// that one (\s+).
func blanks(s string, lines bool) int {
	end, last, afterBreak := 0, 0, 0
	for end < len(s) {
		r, n := utf8.DecodeRuneInString(s[end:])
		c := classOf(r)
		if c != space && c != newline {
			break
		}
		last, end = end, end+n
		if c == newline {
			afterBreak = end
		}
	}
	if lines && afterBreak > 0 {
		return afterBreak
	}
	if end < len(s) && last > 0 {
		return last
	}
	return end
}
