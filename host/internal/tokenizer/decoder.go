package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A decoder changes the texts of tokens on their way to one text. It may change the list that it is given.
type decoder func(tokens []string) []string

// decoderElement holds the keys of all decoders.
type decoderElement struct {
	Type           string   `json:"type"`
	AddPrefixSpace *bool    `json:"add_prefix_space"`
	TrimOffsets    bool     `json:"trim_offsets"`
	UseRegex       bool     `json:"use_regex"`
	Pattern        *pattern `json:"pattern"`
	Content        string   `json:"content"`
	Start          int      `json:"start"`
	Stop           int      `json:"stop"`
	Prefix         string   `json:"prefix"`
	Suffix         string   `json:"suffix"`
	Cleanup        bool     `json:"cleanup"`
	metaspace
}

var decoderKeys = map[string][]string{
	"ByteLevel":    {"add_prefix_space", "trim_offsets", "use_regex"},
	"Metaspace":    {"replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"},
	"Replace":      {"pattern", "content"},
	"Strip":        {"content", "start", "stop"},
	"WordPiece":    {"prefix", "cleanup"},
	"BPEDecoder":   {"suffix"},
	"ByteFallback": nil,
	"Fuse":         nil,
}

// A decoding is how tokens become text.
type decoding struct {
	steps []decoder
	bytes bool // the tokens come as bytes and only need joining: ByteLevel is the first step, and the last
	bare  bool // there is no decoder: spaces between the tokens
}

func readDecoder(raw json.RawMessage) (decoding, error) {
	elements, err := flatten(raw, "decoders")
	if err != nil || len(elements) == 0 {
		return decoding{bare: true}, err
	}
	var d decoding
	growth := 1
	for _, raw := range elements {
		var e decoderElement
		if err := raw.decode(&e, decoderKeys); err != nil {
			return d, err
		}
		step, err := e.decoder()
		if err != nil {
			return d, fmt.Errorf("%s: %w", e.Type, err)
		}
		if e.Type == "Replace" {
			growth *= (&normalizerElement{Type: e.Type, Pattern: e.Pattern, Content: &e.Content}).growth()
		}
		if growth > growthLimit {
			return d, fmt.Errorf("it can make a text more than %d times as long", growthLimit)
		}
		d.steps = append(d.steps, step)
	}
	d.bytes = len(elements) == 1 && elements[0].kind == "ByteLevel"
	return d, nil
}

// text joins tokens.
func (d *decoding) text(tokens []string) string {
	if d.bare {
		return strings.Join(tokens, " ")
	}
	if d.bytes {
		return validUTF8([]byte(strings.Join(tokens, "")))
	}
	for _, step := range d.steps {
		tokens = step(tokens)
	}
	return strings.Join(tokens, "")
}

func (e *decoderElement) decoder() (decoder, error) {
	switch e.Type {
	case "ByteLevel":
		return byteLevelText, nil
	case "ByteFallback":
		return byteFallback, nil
	case "Fuse":
		return func(tokens []string) []string { return []string{strings.Join(tokens, "")} }, nil
	case "Metaspace":
		e.metaspace.AddPrefixSpace = e.AddPrefixSpace
		return e.metaspace.decode, e.metaspace.check()
	case "WordPiece":
		return e.wordPiece, nil
	case "BPEDecoder":
		return e.suffixed, nil
	case "Strip":
		if utf8.RuneCountInString(e.Content) != 1 {
			return nil, fmt.Errorf("content %q is not one character", e.Content)
		}
		return each(e.strip), nil
	}
	n := normalizerElement{Pattern: e.Pattern, Content: &e.Content} // Replace
	replace, err := n.replacer()
	return each(replace), err
}

// each makes a decoder of what is done to each token.
func each(do func(string) string) decoder {
	return func(tokens []string) []string {
		for i, token := range tokens {
			tokens[i] = do(token)
		}
		return tokens
	}
}

// byteLevelText is ByteLevel behind another step.
func byteLevelText(tokens []string) []string {
	var out []byte
	for _, token := range tokens {
		out = append(out, spelledBytes(token)...)
	}
	return []string{validUTF8(out)}
}

// byteFallback joins tokens such as <0xE4> that follow each other into text, or one U+FFFD for each if they are not
// UTF-8.
func byteFallback(tokens []string) []string {
	var out []string
	var bytes []byte
	flush := func() {
		if !utf8.Valid(bytes) {
			out = append(out, slices.Repeat([]string{"\uFFFD"}, len(bytes))...)
		} else if len(bytes) > 0 {
			out = append(out, string(bytes))
		}
		bytes = bytes[:0]
	}
	for _, token := range tokens {
		if b, err := byteToken(token); err == nil {
			bytes = append(bytes, b)
			continue
		}
		flush()
		out = append(out, token)
	}
	flush()
	return out
}

var errNoByte = errors.New("not the token of a byte")

// byteToken reads a token such as <0xE4>.
func byteToken(token string) (byte, error) {
	if len(token) != 6 || !strings.HasPrefix(token, "<0x") || token[5] != '>' {
		return 0, errNoByte
	}
	b, err := strconv.ParseUint(token[3:5], 16, 8)
	return byte(b), err
}

// byteTable returns the ids of the tokens of bytes, -1 for those that are missing; nil if all are.
func byteTable(vocab map[string]int32) *[256]int32 {
	table, some := &[256]int32{}, false
	for b := range table {
		id, ok := vocab[fmt.Sprintf("<0x%02X>", b)]
		if table[b] = id; !ok {
			table[b] = -1
		}
		some = some || ok
	}
	if !some {
		return nil
	}
	return table
}

func (e *decoderElement) wordPiece(tokens []string) []string {
	for i, token := range tokens {
		if rest, ok := strings.CutPrefix(token, e.Prefix); i > 0 && ok {
			token = rest
		} else if i > 0 {
			token = " " + token
		}
		if e.Cleanup {
			for _, c := range cleanups {
				token = strings.ReplaceAll(token, c[0], c[1])
			}
		}
		tokens[i] = token
	}
	return tokens
}

// cleanups takes back, one after the other, the spaces that English punctuation and short forms were given.
var cleanups = [][2]string{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"},
	{" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}

// suffixed is BPEDecoder: the suffix of a token is a space, or nothing at the end.
func (e *decoderElement) suffixed(tokens []string) []string {
	for i, token := range tokens {
		space := " "
		if i == len(tokens)-1 {
			space = ""
		}
		tokens[i] = strings.ReplaceAll(token, e.Suffix, space)
	}
	return tokens
}

// strip takes at most start times the content from the start of a token and stop times from its end.
func (e *decoderElement) strip(token string) string {
	for range min(max(0, e.Start), len(token)) {
		token = strings.TrimPrefix(token, e.Content)
	}
	for range min(max(0, e.Stop), len(token)) {
		token = strings.TrimSuffix(token, e.Content)
	}
	return token
}
