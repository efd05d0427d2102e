package tokenizer

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// nfc returns s in Unicode normalization form C. norm.NFC itself is not used on text that is not normal: it breaks runs
// of more than 30 combining marks with U+034F, which Hugging Face's normalizer does not. That one knows an older
// Unicode and leaves marks newer than 2016 where they are; here they are put in their order.
func nfc(s string) string {
	if norm.NFC.IsNormalString(s) {
		return s
	}
	runes := decompose(s)
	order(runes)
	return string(compose(runes))
}

// decompose takes one character at a time, so that norm sees no long runs.
func decompose(s string) []rune {
	var out []rune
	for _, r := range s {
		out = append(out, []rune(norm.NFD.String(string(r)))...)
	}
	return out
}

func combiningClass(r rune) uint8 { return norm.NFC.PropertiesString(string(r)).CCC() }

// order sorts each run of combining marks by combining class, equal ones left in their order.
func order(runes []rune) {
	for i := 0; i < len(runes); i++ {
		start := i
		for i < len(runes) && combiningClass(runes[i]) > 0 {
			i++
		}
		slices.SortStableFunc(runes[start:i], func(a, b rune) int {
			return cmp.Compare(combiningClass(a), combiningClass(b))
		})
	}
}

// compose joins each character with the starter before it where Unicode has a composed character and nothing stands
// between them. It works in place.
func compose(runes []rune) []rune {
	out := runes[:0]
	starter := -1 // index in out
	var last uint8
	for _, r := range runes {
		c := combiningClass(r)
		adjacent := starter == len(out)-1
		if starter >= 0 && (adjacent || last < c) {
			if joined, ok := pair(out[starter], r); ok {
				out[starter] = joined
				continue
			}
		}
		if out, last = append(out, r), c; c == 0 {
			starter = len(out) - 1
		}
	}
	return out
}

// pair returns the character composed of two, if there is one.
func pair(a, b rune) (rune, bool) {
	if norm.NFC.PropertiesString(string(b)).BoundaryBefore() {
		return 0, false
	}
	joined := norm.NFC.String(string([]rune{a, b}))
	r, n := utf8.DecodeRuneInString(joined)
	return r, n == len(joined)
}
