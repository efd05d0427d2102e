package tokenizer

import (
	"strings"
	"unicode/utf8"
)

// bert is BertNormalizer: it cleans, puts spaces around Chinese characters, takes accents off and lowers.
func (n *normalizerElement) bert() normalizer {
	clean, chinese, lower := n.CleanText, n.HandleChineseChars, n.Lowercase
	accents := lower
	if n.StripAccents != nil {
		accents = *n.StripAccents
	}
	return func(s string) string {
		if clean || chinese {
			s = bertClean(s, clean, chinese)
		}
		if accents && !isASCII(s) {
			s = without(plainNormalizers["NFD"](s), nonspacing)
		}
		if lower {
			s = lowercase(s)
		}
		return s
	}
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// bertClean removes control characters and makes all white space spaces, if clean is set, and puts a space before and
// after each Chinese character, if chinese is set.
func bertClean(s string, clean, chinese bool) string {
	var out strings.Builder
	out.Grow(len(s) + len(s)/4)
	table := properties()
	for _, r := range s {
		p := table.of(r)
		switch {
		case clean && (r == '\t' || r == '\n' || r == '\r'):
			out.WriteByte(' ')
		case clean && p&control != 0:
		case clean && p&whitespace != 0:
			out.WriteByte(' ')
		case chinese && isChinese(r):
			out.WriteByte(' ')
			out.WriteRune(r)
			out.WriteByte(' ')
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// isChinese says whether BERT takes a character for Chinese.
func isChinese(r rune) bool {
	return 0x4e00 <= r && r <= 0x9fff || 0x3400 <= r && r <= 0x4dbf || 0xf900 <= r && r <= 0xfaff ||
		0x20000 <= r && r <= 0x2a6df || 0x2a700 <= r && r <= 0x2b81f || 0x2b920 <= r && r <= 0x2ceaf ||
		0x2f800 <= r && r <= 0x2fa1f
}

// bertWords is BertPreTokenizer: it drops white space and gives each punctuation mark a piece of its own.
func bertWords(text string, yield func(string)) {
	table := properties()
	start := 0
	word := func(end int) {
		if end > start {
			yield(text[start:end])
		}
	}
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
		}
		p := table.of(r)
		if p&(whitespace|punctuation) != 0 {
			word(i)
			if start = i + n; p&punctuation != 0 {
				yield(text[i:start])
			}
		}
		i += n
	}
	word(len(text))
}
