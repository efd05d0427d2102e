package tokenizer

import "unicode/utf8"

// wordPiece cuts a piece into the longest tokens from the left. One that cannot be cut is unknown as a whole.
type wordPiece struct {
	first, rest trie // tokens at the start of a piece, and behind another, these without their prefix
	unknown     int32
	longest     int // characters of a piece at most
}

func (w *wordPiece) encode(ids []int32, piece string) []int32 {
	from := len(ids)
	if len(piece) > w.longest && utf8.RuneCountInString(piece) > w.longest {
		return append(ids, w.unknown)
	}
	tokens := &w.first
	for at := 0; at < len(piece); {
		n, id := tokens.longest(piece[at:])
		if n == 0 {
			return append(ids[:from], w.unknown)
		}
		ids = append(ids, id)
		at += n
		tokens = &w.rest
	}
	return ids
}

// wordLevel takes a piece as one token.
type wordLevel struct {
	tokens  map[string]int32
	unknown int32
}

func (w *wordLevel) encode(ids []int32, piece string) []int32 {
	if id, ok := w.tokens[piece]; ok {
		return append(ids, id)
	}
	return append(ids, w.unknown)
}
