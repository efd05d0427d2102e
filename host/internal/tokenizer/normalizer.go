package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A normalizer changes a text before it is cut.
type normalizer func(string) string

// normalizerElement holds the keys of all normalizers.
type normalizerElement struct {
	Type               string   `json:"type"`
	Pattern            *pattern `json:"pattern"`
	Content            *string  `json:"content"`
	Prepend            string   `json:"prepend"`
	Charsmap           []byte   `json:"precompiled_charsmap"`
	StripLeft          bool     `json:"strip_left"`
	StripRight         bool     `json:"strip_right"`
	CleanText          bool     `json:"clean_text"`
	HandleChineseChars bool     `json:"handle_chinese_chars"`
	StripAccents       *bool    `json:"strip_accents"`
	Lowercase          bool     `json:"lowercase"`
}

// normalizerKeys says which keys each type has.
var normalizerKeys = map[string][]string{
	"NFC": nil, "NFD": nil, "NFKC": nil, "NFKD": nil, "Lowercase": nil, "StripAccents": nil, "Nmt": nil,
	"ByteLevel":      nil,
	"Strip":          {"strip_left", "strip_right"},
	"Replace":        {"pattern", "content"},
	"Prepend":        {"prepend"},
	"Precompiled":    {"precompiled_charsmap"},
	"BertNormalizer": {"clean_text", "handle_chinese_chars", "strip_accents", "lowercase"},
}

// readNormalizer makes one normalizer of all elements. shifts is the type of one that can take away the start of a
// text, if there is one.
func readNormalizer(raw json.RawMessage) (all normalizer, shifts string, err error) {
	elements, err := flatten(raw, "normalizers")
	if err != nil {
		return nil, "", err
	}
	all = func(s string) string { return s }
	growth := 1
	for i, e := range elements {
		var n normalizerElement
		if err := e.decode(&n, normalizerKeys); err != nil {
			return nil, "", err
		}
		next, err := n.normalizer()
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", e.kind, err)
		}
		if n.shifts() {
			shifts = e.kind
		}
		if growth *= n.growth(); growth > growthLimit {
			return nil, "", fmt.Errorf("it can make a text more than %d times as long", growthLimit)
		}
		if before := all; i > 0 {
			all = func(s string) string { return next(before(s)) }
		} else {
			all = next
		}
	}
	return all, shifts, nil
}

// growthLimit bounds how many times as long normalizers in turn can make a text.
const growthLimit = 1 << 12

// growth is how many times as long the element can make a text at most, but for a constant.
func (n *normalizerElement) growth() int {
	switch n.Type {
	case "Replace":
		if n.Pattern.String != nil {
			return 1 + min(growthLimit, len(*n.Content)/max(1, len(*n.Pattern.String)))
		}
		return 1 + min(growthLimit, len(*n.Content))
	case "Precompiled":
		longest := 0
		for text := range bytes.SplitSeq(n.Charsmap, []byte{0}) {
			longest = max(longest, len(text))
		}
		return 1 + min(growthLimit, longest/3)
	case "Prepend":
		return 1 + len(n.Prepend)/tokenLimit*growthLimit
	case "NFKC", "NFKD":
		return 11
	case "Lowercase", "Strip", "StripAccents", "Nmt":
		return 1
	}
	return 3
}

func (n *normalizerElement) shifts() bool {
	return n.StripLeft || n.CleanText || n.Type == "StripAccents" || n.Type == "Nmt" ||
		n.Type == "BertNormalizer" || n.Type == "Replace" && *n.Content == ""
}

func (n *normalizerElement) normalizer() (normalizer, error) {
	switch n.Type {
	case "Replace":
		return n.replacer()
	case "Precompiled":
		m, err := readCharsmap(n.Charsmap)
		if err != nil {
			return nil, err
		}
		return m.byGraphemes, nil
	case "BertNormalizer":
		return n.bert(), nil
	case "Prepend":
		return n.prepend, nil
	case "Strip":
		return n.strip, nil
	}
	return plainNormalizers[n.Type], nil
}

// plainNormalizers are those without settings.
var plainNormalizers = map[string]normalizer{
	"NFC":          normalForm(norm.NFC),
	"NFD":          normalForm(norm.NFD),
	"NFKC":         normalForm(norm.NFKC),
	"NFKD":         normalForm(norm.NFKD),
	"Lowercase":    lowercase,
	"StripAccents": func(s string) string { return without(s, mark) },
	"Nmt":          nmt,
	"ByteLevel":    spell,
}

func (n *normalizerElement) prepend(s string) string {
	if s == "" {
		return ""
	}
	return n.Prepend + s
}

func (n *normalizerElement) strip(s string) string {
	if n.StripLeft {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
	}
	if n.StripRight {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
	}
	return s
}

func (n *normalizerElement) replacer() (normalizer, error) {
	if n.Pattern == nil || n.Content == nil {
		return nil, errors.New("pattern or content is missing")
	}
	content := *n.Content
	if n.Pattern.Regex != nil && *n.Pattern.Regex == " {2,}" {
		return func(s string) string { return replaceSpaces(s, content) }, nil
	}
	find, err := n.Pattern.finder()
	if err != nil {
		return nil, err
	}
	return func(s string) string {
		var out strings.Builder
		at := 0
		for _, m := range find(s) {
			out.WriteString(s[at:m.start])
			out.WriteString(content)
			at = m.end
		}
		if at == 0 && out.Len() == 0 {
			return s
		}
		out.WriteString(s[at:])
		return out.String()
	}, nil
}

// replaceSpaces replaces each run of two spaces or more.
func replaceSpaces(s, content string) string {
	if !strings.Contains(s, "  ") {
		return s
	}
	var out strings.Builder
	for {
		i := strings.Index(s, "  ")
		if i < 0 {
			break
		}
		out.WriteString(s[:i])
		out.WriteString(content)
		s = strings.TrimLeft(s[i:], " ")
	}
	out.WriteString(s)
	return out.String()
}

// newCases are the letters with a lower case that are newer than package unicode.
var newCases = unicode.SpecialCase{
	newCase(0x1c89, 0x1c89, 1), newCase(0xa7cb, 0xa7cb, 0x264-0xa7cb), newCase(0xa7cc, 0xa7cc, 1),
	newCase(0xa7ce, 0xa7ce, 1), newCase(0xa7d2, 0xa7d2, 1), newCase(0xa7d4, 0xa7d4, 1), newCase(0xa7da, 0xa7da, 1),
	newCase(0xa7dc, 0xa7dc, 0x19b-0xa7dc), newCase(0x10d50, 0x10d65, 0x20), newCase(0x16ea0, 0x16eb8, 0x1b),
}

func newCase(lo, hi uint32, toLower rune) unicode.CaseRange {
	c := unicode.CaseRange{Lo: lo, Hi: hi}
	c.Delta[unicode.LowerCase] = toLower
	return c
}

// lowercase takes each character by itself: a sigma at the end of a word is no other one.
func lowercase(s string) string {
	return strings.Map(newCases.ToLower, strings.ReplaceAll(s, "İ", "i\u0307"))
}

// without removes the characters with a property.
func without(s string, p property) string {
	table := properties()
	return strings.Map(func(r rune) rune {
		if table.of(r)&p != 0 {
			return -1
		}
		return r
	}, s)
}

// nmt removes control characters and turns others, and some without width, into spaces, as the preparation of texts for
// Google's translation models did.
func nmt(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 0x1 <= r && r <= 0x8, r == 0xb, 0xe <= r && r <= 0x1f, r == 0x7f, r == 0x8f, r == 0x9f:
			return -1
		case r == 0x9, r == 0xa, r == 0xc, r == 0xd, r == 0x1680, 0x200b <= r && r <= 0x200f, r == 0x2028, r == 0x2029,
			r == 0x2581, r == 0xfeff, r == 0xfffd:
			return ' '
		}
		return r
	}, s)
}
