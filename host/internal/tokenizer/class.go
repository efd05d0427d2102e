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
	fill(&table, letter, unicode.L, newLetters)
	fill(&table, number, unicode.N, newNumbers)
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
	if unicode.In(r, unicode.L, newLetters) {
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

// The letters and numbers of Unicode 15.1 and 16, which the regular expressions of the Hugging Face library know and
// the tables of package unicode (15.0) do not. A test compares the classes of all code points with that library's.
var (
	newLetters = &unicode.RangeTable{
		R16: []unicode.Range16{
			{0x1c89, 0x1c8a, 1}, {0xa7cb, 0xa7cd, 1}, {0xa7da, 0xa7dc, 1},
		},
		R32: []unicode.Range32{
			{0x105c0, 0x105f3, 1}, {0x10d4a, 0x10d65, 1}, {0x10d6f, 0x10d85, 1}, {0x10ec2, 0x10ec4, 1},
			{0x11380, 0x11389, 1}, {0x1138b, 0x1138b, 1}, {0x1138e, 0x1138e, 1}, {0x11390, 0x113b5, 1},
			{0x113b7, 0x113b7, 1}, {0x113d1, 0x113d1, 1}, {0x113d3, 0x113d3, 1}, {0x11bc0, 0x11be0, 1},
			{0x13460, 0x143fa, 1}, {0x16100, 0x1611d, 1}, {0x16d40, 0x16d6c, 1}, {0x18cff, 0x18cff, 1},
			{0x1e5d0, 0x1e5ed, 1}, {0x1e5f0, 0x1e5f0, 1}, {0x2ebf0, 0x2ee5d, 1},
		},
	}
	newNumbers = &unicode.RangeTable{R32: []unicode.Range32{
		{0x10d40, 0x10d49, 1}, {0x116d0, 0x116e3, 1}, {0x11bf0, 0x11bf9, 1}, {0x16130, 0x16139, 1},
		{0x16d70, 0x16d79, 1}, {0x1ccf0, 0x1ccf9, 1}, {0x1e5f1, 0x1e5fa, 1},
	}}
)
