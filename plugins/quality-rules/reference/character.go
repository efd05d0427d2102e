package reference

import (
	"unicode"
	"unicode/utf8"
)

// A class says what a character is; a word's class is the union of its characters'.
type class uint8

const (
	letter class = 1 << iota
	digit
	punctuation
	special // what is none of these: symbols, controls, bytes that are no UTF-8
	space
	han
	mark  // ends a sentence
	quote // may stand between a mark and the space after it
)

// ascii holds the classes of the first 128 characters, and nothing for bytes beyond; lower is ASCII in lower case.
var ascii, lower = func() (classes [256]class, small [256]byte) {
	for r := range rune(utf8.RuneSelf) {
		classes[r], small[r] = general(r), byte(unicode.ToLower(r))
	}
	return classes, small
}()

func classOf(r rune) class {
	switch {
	case r < utf8.RuneSelf:
		return ascii[r]
	case isHan(r):
		return han | letter
	}
	return general(r)
}

func general(r rune) class {
	switch {
	case unicode.IsSpace(r):
		return space
	case unicode.IsLetter(r), unicode.IsMark(r):
		return letter
	case unicode.IsNumber(r):
		return digit
	case !unicode.IsPunct(r):
		return special
	}
	switch r {
	case '.', '!', '?', '。', '！', '？', '．':
		return punctuation | mark
	case '"', '\'', ')', ']', '”', '’', '」', '』', '）', '】', '》':
		return punctuation | quote
	}
	return punctuation
}

func isHan(r rune) bool {
	switch {
	case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3400 && r <= 0x4DBF, r >= 0x20000 && r <= 0x323AF, r >= 0xF900 && r <= 0xFAFF:
		return true
	}
	return r == '々' || r == '〇'
}
