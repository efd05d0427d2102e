package tokenizer

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// metaspace is the Metaspace element, as pre-tokenizer or decoder: spaces become a character that can be seen.
type metaspace struct {
	Replacement    string  `json:"replacement"`
	PrependScheme  *string `json:"prepend_scheme"` // always, first or never; nil means always
	Split          *bool   `json:"split"`          // nil means true
	StrRep         string  `json:"str_rep"`        // of old files: the replacement again
	AddPrefixSpace *bool   `json:"-"`              // of old files: false means never
}

// check settles the scheme.
func (m *metaspace) check() error {
	if utf8.RuneCountInString(m.Replacement) != 1 {
		return fmt.Errorf("replacement %q is not one character", m.Replacement)
	}
	if m.AddPrefixSpace != nil && !*m.AddPrefixSpace {
		if m.PrependScheme != nil && *m.PrependScheme != "never" {
			return fmt.Errorf("add_prefix_space false contradicts prepend_scheme %q", *m.PrependScheme)
		}
		m.PrependScheme = new("never")
	}
	if m.PrependScheme == nil {
		m.PrependScheme = new("always")
	}
	if !slices.Contains([]string{"always", "first", "never"}, *m.PrependScheme) {
		return fmt.Errorf("prepend_scheme %q is not supported", *m.PrependScheme)
	}
	return nil
}

// splitter cuts before each replacement. start says that the text is the start of the whole one.
func (m *metaspace) splitter(start bool) splitter {
	mark := m.Replacement
	prepend := *m.PrependScheme == "always" || *m.PrependScheme == "first" && start
	cut := m.Split == nil || *m.Split
	return func(text string, yield func(string)) {
		text = strings.ReplaceAll(text, " ", mark)
		if prepend && !strings.HasPrefix(text, mark) {
			text = mark + text
		}
		for cut {
			_, n := utf8.DecodeRuneInString(text)
			next := strings.Index(text[n:], mark)
			if next < 0 {
				break
			}
			yield(text[:n+next])
			text = text[n+next:]
		}
		yield(text)
	}
}

// decode turns the replacement back into spaces; those of the first token go if they were put there.
func (m *metaspace) decode(tokens []string) []string {
	for i, token := range tokens {
		space := " "
		if i == 0 && *m.PrependScheme != "never" {
			space = ""
		}
		tokens[i] = strings.ReplaceAll(token, m.Replacement, space)
	}
	return tokens
}
