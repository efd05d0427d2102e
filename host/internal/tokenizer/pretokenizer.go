package tokenizer

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// preTokenizerElement holds the keys of all pre-tokenizers.
type preTokenizerElement struct {
	Type             string   `json:"type"`
	AddPrefixSpace   *bool    `json:"add_prefix_space"`
	TrimOffsets      bool     `json:"trim_offsets"` // offsets are no concern of ours
	UseRegex         *bool    `json:"use_regex"`    // nil means true
	Pattern          *pattern `json:"pattern"`
	Behavior         *string  `json:"behavior"`
	Invert           bool     `json:"invert"`
	IndividualDigits bool     `json:"individual_digits"`
	Delimiter        string   `json:"delimiter"`
	metaspace
}

var preTokenizerKeys = map[string][]string{
	"ByteLevel":          {"add_prefix_space", "trim_offsets", "use_regex"},
	"Split":              {"pattern", "behavior", "invert"},
	"Metaspace":          {"replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"},
	"Punctuation":        {"behavior"},
	"Digits":             {"individual_digits"},
	"CharDelimiterSplit": {"delimiter"},
	"BertPreTokenizer":   nil,
	"Whitespace":         nil,
	"WhitespaceSplit":    nil,
}

// A cutting is how texts are cut into pieces. The piece of text at the very start may be cut differently.
type cutting struct{ start, later splitter }

// readPreTokenizer makes one cutting of all elements. bytes says that the model takes the pieces of a last ByteLevel
// with their bytes as they are; shifts names a normalizer that can take away the start of a text.
func readPreTokenizer(elements []element, bytes bool, shifts string) (cutting, error) {
	whole := func(s string, yield func(string)) { yield(s) }
	c := cutting{start: whole, later: whole}
	for i, raw := range elements {
		var e preTokenizerElement
		if err := raw.decode(&e, preTokenizerKeys); err != nil {
			return c, err
		}
		start, later, err := e.splitters()
		if err != nil {
			return c, fmt.Errorf("%s: %w", e.Type, err)
		}
		if e.atStart() && (i > 0 || shifts != "") {
			return c, errors.New("prepend_scheme first is supported only before all others, and not with a " +
				"normalizer that can take away the start of a text")
		}
		if e.Type == "ByteLevel" && !(bytes && i == len(elements)-1) {
			start, later = spelt(start), spelt(later)
		}
		if i > 0 {
			start, later = inTurn(c.start, start), inTurn(c.later, later)
		}
		c.start, c.later = start, later
	}
	return c, nil
}

// atStart says whether the element cuts the start of a text differently.
func (e *preTokenizerElement) atStart() bool {
	return e.PrependScheme != nil && *e.PrependScheme == "first"
}

// splitters returns how the element cuts the start of a text, and how it cuts later ones.
func (e *preTokenizerElement) splitters() (start, later splitter, err error) {
	if e.Type == "Metaspace" {
		e.metaspace.AddPrefixSpace = e.AddPrefixSpace
		if err := e.metaspace.check(); err != nil {
			return nil, nil, err
		}
		return e.metaspace.splitter(true), e.metaspace.splitter(false), nil
	}
	start, err = e.splitter()
	return start, start, err
}

func (e *preTokenizerElement) splitter() (splitter, error) {
	switch e.Type {
	case "ByteLevel":
		return e.byteLevel(), nil
	case "Split":
		return e.split()
	case "BertPreTokenizer":
		return bertWords, nil
	case "Whitespace":
		return words, nil
	case "WhitespaceSplit":
		return cutBy(characters(in(whitespace)), removed), nil
	case "Digits":
		if e.IndividualDigits {
			return cutBy(characters(in(numeric)), isolated), nil
		}
		return cutBy(characters(in(numeric)), contiguous), nil
	case "CharDelimiterSplit":
		if utf8.RuneCountInString(e.Delimiter) != 1 {
			return nil, fmt.Errorf("delimiter %q is not one character", e.Delimiter)
		}
		return cutBy(literal(e.Delimiter), removed), nil
	}
	b, err := e.behavior("Isolated") // Punctuation
	return cutBy(characters(in(punctuation)), b), err
}

// byteLevel gives each piece a leading space, if asked to, and cuts it by the pattern of GPT-2, unless told not to.
func (e *preTokenizerElement) byteLevel() splitter {
	cut := splitter(func(s string, yield func(string)) { yield(s) })
	if e.UseRegex == nil || *e.UseRegex {
		cut = handwritten[gpt2Pattern]
	}
	if e.AddPrefixSpace == nil || !*e.AddPrefixSpace {
		return cut
	}
	return func(s string, yield func(string)) {
		if !strings.HasPrefix(s, " ") {
			s = " " + s
		}
		cut(s, yield)
	}
}

func (e *preTokenizerElement) split() (splitter, error) {
	if e.Pattern == nil {
		return nil, errors.New("pattern is missing")
	}
	b, err := e.behavior("")
	if err != nil {
		return nil, err
	}
	if e.Pattern.Regex != nil && *e.Behavior == "Isolated" && !e.Invert {
		if hand, ok := handwritten[*e.Pattern.Regex]; ok {
			return hand, nil
		}
	}
	find, err := e.Pattern.finder()
	if err != nil {
		return nil, err
	}
	if e.Invert {
		return cutInverted(find, b), nil
	}
	return cutBy(find, b), nil
}

func (e *preTokenizerElement) behavior(usual string) (behavior, error) {
	if e.Behavior != nil {
		usual = *e.Behavior
	}
	b, ok := behaviors[usual]
	if !ok {
		return nil, fmt.Errorf("behavior %q is not supported", usual)
	}
	return b, nil
}

// words is Whitespace: runs of word characters and runs of others but white space.
func words(text string, yield func(string)) {
	table := properties()
	kind := func(r rune) property { return table.of(r) & (wordChar | whitespace) }
	for at := 0; at < len(text); {
		r, n := utf8.DecodeRuneInString(text[at:])
		end, k := at+n, kind(r)
		for end < len(text) {
			r, n := utf8.DecodeRuneInString(text[end:])
			if kind(r) != k {
				break
			}
			end += n
		}
		if k != whitespace {
			yield(text[at:end])
		}
		at = end
	}
}

// inTurn cuts by first and then each piece by second.
func inTurn(first, second splitter) splitter {
	return func(text string, yield func(string)) {
		first(text, func(piece string) { second(piece, yield) })
	}
}

// spelt spells the pieces of a splitter byte by byte.
func spelt(cut splitter) splitter {
	return func(text string, yield func(string)) {
		cut(text, func(piece string) { yield(spell(piece)) })
	}
}
