package tokenizer

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalForm returns a normalizer for one of the Unicode normalization forms. Package norm itself is used only on text
// that is normal: it breaks runs of more than 30 combining marks with U+034F, which Hugging Face's normalizer does not,
// and knows a newer Unicode.
func normalForm(form norm.Form) normalizer {
	return func(s string) string {
		if form.IsNormalString(s) {
			return s
		}
		var out strings.Builder
		for len(s) > 0 {
			n := form.QuickSpanString(s)
			out.WriteString(s[:n])
			end := nextBoundary(s, n)
			writeNormal(&out, form, s[n:end])
			s = s[end:]
		}
		return out.String()
	}
}

// nextBoundary returns where the first character behind place n starts that neither changes nor joins the one before
// it: ASCII or a Chinese character.
func nextBoundary(s string, n int) int {
	for first := true; n < len(s); first = false {
		r, width := utf8.DecodeRuneInString(s[n:])
		if !first && (r < utf8.RuneSelf || 0x4e00 <= r && r <= 0x9fa5) {
			return n
		}
		n += width
	}
	return n
}

func writeNormal(out *strings.Builder, form norm.Form, s string) {
	compatible := form == norm.NFKC || form == norm.NFKD
	runes := decompose(s, compatible)
	order(runes)
	if form == norm.NFC || form == norm.NFKC {
		runes = compose(runes)
	}
	for _, r := range runes {
		out.WriteRune(r)
	}
}

// newForms are characters with a decomposition that Hugging Face's normalizer does not know.
var newForms = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x32ff, Hi: 0x32ff, Stride: 1}, {Lo: 0xa7f2, Hi: 0xa7f4, Stride: 1},
		{Lo: 0xab69, Hi: 0xab69, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x10781, Hi: 0x107ba, Stride: 1}, {Lo: 0x11938, Hi: 0x11938, Stride: 1},
		{Lo: 0x1e030, Hi: 0x1e06d, Stride: 1}, {Lo: 0x1f16c, Hi: 0x1f16c, Stride: 1},
		{Lo: 0x1fbf0, Hi: 0x1fbf9, Stride: 1}},
}

// decompose takes one character at a time, so that norm sees no long runs.
func decompose(s string, compatible bool) []rune {
	form := norm.NFD
	if compatible {
		form = norm.NFKD
	}
	var out []rune
	for _, r := range s {
		if unicode.Is(newForms, r) {
			out = append(out, r)
			continue
		}
		out = append(out, []rune(form.String(string(r)))...)
	}
	return out
}

func combiningClass(r rune) uint8 {
	if !has(r, combining) {
		return 0
	}
	return norm.NFC.PropertiesString(string(r)).CCC()
}

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
	return r, n == len(joined) && !unicode.Is(newForms, r)
}
