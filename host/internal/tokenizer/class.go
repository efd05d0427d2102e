package tokenizer

import (
	"unicode"
	"unicode/utf8"
)

// A class is what the pre-tokenizer patterns ask of a character. The classes exclude each other.
type class uint8

const (
	other   class = iota // [^\s\p{L}\p{N}]
	letter               // \p{L}
	number               // \p{N}
	space                // \s but \r and \n
	newline              // [\r\n]
)

// planes01 is the first code point that the table leaves out. Beyond it there are letters and others only.
const planes01 = 0x20000

var classes = classTable()

func classTable() *[planes01]class {
	var table [planes01]class
	fill(&table, letter, unicode.L, newer["L"])
	fill(&table, number, unicode.N, newer["N"])
	fill(&table, space, unicode.White_Space)
	table['\r'], table['\n'] = newline, newline
	return &table
}

func fill(table *[planes01]class, c class, sets ...*unicode.RangeTable) {
	set := func(lo, hi, stride uint32) {
		for r := lo; r <= hi && r < planes01; r += stride {
			table[r] = c
		}
	}
	for _, s := range sets {
		for _, r := range s.R16 {
			set(uint32(r.Lo), uint32(r.Hi), uint32(r.Stride))
		}
		for _, r := range s.R32 {
			set(r.Lo, r.Hi, r.Stride)
		}
	}
}

func classOf(r rune) class {
	if r < planes01 {
		return classes[r]
	}
	if unicode.In(r, unicode.L, newer["L"]) {
		return letter
	}
	return other
}

// span returns the end of the run of characters of class c that starts at byte i of s.
func span(s string, i int, c class) int {
	for i < len(s) {
		r, n := utf8.DecodeRuneInString(s[i:])
		if classOf(r) != c {
			break
		}
		i += n
	}
	return i
}
