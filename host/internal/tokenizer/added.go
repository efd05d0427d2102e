package tokenizer

import (
	"cmp"
	"slices"
	"strings"
)

// An addedToken is an entry of added_tokens in tokenizer.json.
type addedToken struct {
	ID         int32  `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"`
	LStrip     bool   `json:"lstrip"`
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	Special    bool   `json:"special"`
}

// A finder cuts ordinary added tokens, such as <tool_call>, out of a text. Special tokens are found, so that what lies
// within them is not, and left as text. The zero finder finds nothing.
type finder struct {
	tokens []addedToken // longest first
	first  [256]bool    // bytes with which a token starts
}

func newFinder(tokens []addedToken) finder {
	var f finder
	if !slices.ContainsFunc(tokens, func(t addedToken) bool { return !t.Special }) {
		return f
	}
	f.tokens = slices.Clone(tokens)
	slices.SortStableFunc(f.tokens, func(a, b addedToken) int { return cmp.Compare(len(b.Content), len(a.Content)) })
	for _, t := range f.tokens {
		f.first[t.Content[0]] = true
	}
	return f
}

// cut hands on text in order: what lies between the tokens, unless it is empty, to plain, tokens to token.
func (f *finder) cut(text string, plain func(string), token func(id int32)) {
	from := 0
	for i := 0; len(f.tokens) > 0 && i < len(text); {
		t := f.at(text[i:])
		if t == nil {
			i++
			continue
		}
		if !t.Special {
			if from < i {
				plain(text[from:i])
			}
			token(t.ID)
			from = i + len(t.Content)
		}
		i += len(t.Content)
	}
	if from < len(text) {
		plain(text[from:])
	}
}

// at returns the longest token at the start of text, or nil.
func (f *finder) at(text string) *addedToken {
	if !f.first[text[0]] {
		return nil
	}
	for i := range f.tokens {
		if strings.HasPrefix(text, f.tokens[i].Content) {
			return &f.tokens[i]
		}
	}
	return nil
}
