package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// byteLevel is the ByteLevel element, as pre-tokenizer, post-processor or decoder. Offsets are no concern of ours.
type byteLevel struct {
	Type           string `json:"type"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	TrimOffsets    bool   `json:"trim_offsets"`
	UseRegex       *bool  `json:"use_regex"` // nil means true
}

// splitter gives each piece a leading space, if asked to, and cuts it by the pattern of GPT-2, unless told not to.
func (b byteLevel) splitter() splitter {
	cut := splitter(func(s string, yield func(string)) { yield(s) })
	if b.UseRegex == nil || *b.UseRegex {
		cut = handwritten[gpt2Pattern]
	}
	if !b.AddPrefixSpace {
		return cut
	}
	return func(s string, yield func(string)) {
		if !strings.HasPrefix(s, " ") {
			s = " " + s
		}
		cut(s, yield)
	}
}

// splitElement is the Split element.
type splitElement struct {
	Type    string `json:"type"`
	Pattern struct {
		Regex  *string
		String *string
	} `json:"pattern"`
	Behavior string `json:"behavior"`
	Invert   bool   `json:"invert"`
}

func (s splitElement) splitter() (splitter, error) {
	if s.Pattern.Regex == nil {
		return nil, errors.New("in Split: only a Regex pattern is supported")
	}
	if s.Behavior != "Isolated" || s.Invert {
		return nil, fmt.Errorf("in Split: behavior %q with invert %v is not supported", s.Behavior, s.Invert)
	}
	cut, err := isolated(*s.Pattern.Regex)
	if err != nil {
		return nil, fmt.Errorf("in Split: %w", err)
	}
	return cut, nil
}

// readPreTokenizer reads any number of Split elements, ended by ByteLevel.
func (t *Tokenizer) readPreTokenizer(raw json.RawMessage) error {
	elements, err := flatten(raw)
	if err != nil {
		return err
	}
	if n := len(elements); n == 0 || elements[n-1].kind != "ByteLevel" {
		return errors.New("it does not end with ByteLevel, and only byte-level tokenizers are supported")
	}
	for i, e := range elements {
		cut, err := e.splitter(i == len(elements)-1)
		if err != nil {
			return err
		}
		if i > 0 {
			cut = inTurn(t.split, cut)
		}
		t.split = cut
	}
	return nil
}

func (e element) splitter(last bool) (splitter, error) {
	switch {
	case e.kind == "Split":
		var s splitElement
		if err := e.decode(&s); err != nil {
			return nil, err
		}
		return s.splitter()
	case e.kind == "ByteLevel" && last:
		var b byteLevel
		if err := e.decode(&b); err != nil {
			return nil, err
		}
		return b.splitter(), nil
	case e.kind == "ByteLevel":
		return nil, errors.New("ByteLevel must be the last element")
	}
	return nil, e.unknown()
}

// inTurn cuts by first and then each piece by second.
func inTurn(first, second splitter) splitter {
	return func(text string, yield func(string)) {
		first(text, func(piece string) { second(piece, yield) })
	}
}
