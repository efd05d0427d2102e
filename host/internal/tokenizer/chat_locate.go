package tokenizer

import (
	"errors"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/host/internal/jinja"
)

// errJoined is about a text that decoding its tokens does not give back.
var errJoined = errors.New("the tokenizer joins an answer with the text around it, and where can't be told")

// locate returns which of a text's tokens overlap stretches of its bytes. ids are all its tokens.
func (t *Tokenizer) locate(text string, ids []int32, spans []jinja.Span) ([]Span, error) {
	var places []int
	for _, s := range spans {
		places = append(places, s.From, s.To)
	}
	tokens, ok := t.pieces(text, ids, places)
	if !ok {
		tokens = tokens[:0]
		for i, at := range places {
			n, err := t.tokenAt(text, ids, at, i%2 == 1)
			if err != nil {
				return nil, err
			}
			tokens = append(tokens, n)
		}
	}
	all := make([]Span, len(spans))
	for i := range all {
		all[i] = Span{tokens[2*i], tokens[2*i+1]}
	}
	return all, nil
}

// pieces encodes what lies between places by itself. If that gives the same tokens, they end where the pieces do.
func (t *Tokenizer) pieces(text string, ids []int32, places []int) (tokens []int, ok bool) {
	from, n := 0, 0
	for _, at := range append(places, len(text)) {
		piece := t.EncodeAll(text[from:at])
		if len(piece) > len(ids)-n || !slices.Equal(piece, ids[n:n+len(piece)]) {
			return nil, false
		}
		from, n = at, n+len(piece)
		tokens = append(tokens, n)
	}
	return tokens, n == len(ids)
}

// tokenAt is the number of tokens before a place in a text; one that reaches across it counts if it is the end of a
// stretch.
func (t *Tokenizer) tokenAt(text string, ids []int32, at int, end bool) (int, error) {
	before := t.EncodeAll(text[:at])
	if len(before) <= len(ids) && slices.Equal(before, ids[:len(before)]) {
		return len(before), nil
	}
	if strings.ReplaceAll(t.DecodeAll(ids), " ", "") != strings.ReplaceAll(text, " ", "") {
		return 0, errJoined
	}
	text, at = strings.ReplaceAll(text, " ", ""), len(strings.ReplaceAll(text[:at], " ", ""))
	// The tokens before the place are those whose text does not reach beyond it.
	n := sort.Search(len(ids), func(n int) bool { return t.reach(text, ids[:n+1]) > at })
	if end && t.reach(text, ids[:n]) < at {
		n++
	}
	return n, nil
}

// reach is how far the text of the first tokens goes, up to the end of a character that is cut. Spaces are left out:
// decoders add and drop some.
func (t *Tokenizer) reach(text string, ids []int32) int {
	decoded := strings.ReplaceAll(t.DecodeAll(ids), " ", "")
	if strings.HasPrefix(text, decoded) {
		return len(decoded)
	}
	whole := len(strings.TrimSuffix(decoded, "\uFFFD"))
	_, n := utf8.DecodeRuneInString(text[whole:])
	return whole + n
}
