package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ErrPair says that a tokenizer's files do not say how two texts become one sequence.
var ErrPair = errors.New("the tokenizer has no form for pairs of texts")

// A pairPiece is tokens of a pair's form, or where one of its texts stands. All its tokens are of one type.
type pairPiece struct {
	ids  []int32
	text int // 0 or 1; -1 is none
	kind int32
}

// Pair encodes two texts as one sequence, as cross-encoders read them: what the Hugging Face library makes of them,
// each encoded as Encode does. types says of each token to which text it belongs, for models that have a table for it.
func (t *Tokenizer) Pair(first, second string) (ids, types []int32, err error) {
	if t.pair == nil {
		return nil, nil, ErrPair
	}
	texts := []string{first, second}
	for _, piece := range t.pair {
		more := piece.ids
		if piece.text >= 0 {
			more = t.Encode(texts[piece.text])
		}
		for _, id := range more {
			ids, types = append(ids, id), append(types, piece.kind)
		}
	}
	return ids, types, nil
}

// pairOf is the form that a post-processor gives a pair; nil when it gives none.
func (e *postProcessorElement) pairOf() ([]pairPiece, error) {
	switch e.Type {
	case "TemplateProcessing":
		return e.pairTemplate()
	case "BertProcessing":
		return e.separated(1), nil
	case "RobertaProcessing":
		form := e.separated(0)
		form[2].ids = []int32{e.SEP.id, e.SEP.id}
		return form, nil
	}
	return nil, nil
}

// separated is two texts, each closed by a separator. kind is the type of the second one's tokens.
func (e *postProcessorElement) separated(kind int32) []pairPiece {
	cls, sep := []int32{e.CLS.id}, []int32{e.SEP.id}
	return []pairPiece{{cls, -1, 0}, {nil, 0, 0}, {sep, -1, 0}, {nil, 1, kind}, {sep, -1, kind}}
}

func (e *postProcessorElement) pairTemplate() ([]pairPiece, error) {
	if len(e.Pair) == 0 {
		return nil, nil
	}
	var pieces []templatePiece
	if err := json.Unmarshal(e.Pair, &pieces); err != nil {
		return nil, fmt.Errorf("pair: %w", err)
	}
	var form []pairPiece
	seen := [2]int{}
	for _, piece := range pieces {
		switch {
		case piece.SpecialToken != nil:
			form = append(form, pairPiece{e.Special[piece.SpecialToken.ID].IDs, -1, piece.SpecialToken.TypeID})
		case piece.Sequence == nil || piece.Sequence.ID != "A" && piece.Sequence.ID != "B":
			return nil, errors.New("pair: a piece is neither SpecialToken nor Sequence A or B")
		default:
			which := int(piece.Sequence.ID[0] - 'A')
			seen[which]++
			form = append(form, pairPiece{nil, which, piece.Sequence.TypeID})
		}
	}
	if seen != [2]int{1, 1} {
		return nil, errors.New("pair does not hold each of its sequences once")
	}
	return form, nil
}
