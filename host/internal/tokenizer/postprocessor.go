package tokenizer

import (
	"encoding/json"
	"fmt"
	"slices"
)

// templateProcessing is the TemplateProcessing element: what is put around a text, or around two.
type templateProcessing struct {
	Type   string          `json:"type"`
	Single []templatePiece `json:"single"`
	Pair   json.RawMessage `json:"pair"`

	SpecialTokens map[string]struct {
		ID     string   `json:"id"`
		IDs    []int32  `json:"ids"`
		Tokens []string `json:"tokens"`
	} `json:"special_tokens"`
}

// templatePiece is one of its two fields: a token, or the text.
type templatePiece struct {
	SpecialToken, Sequence *struct {
		ID     string `json:"id"`
		TypeID int    `json:"type_id"`
	}
}

// readPostProcessor reads what the library puts around a text. ByteLevel changes offsets only.
func (t *Tokenizer) readPostProcessor(raw json.RawMessage) error {
	elements, err := flatten(raw)
	if err != nil {
		return err
	}
	for _, e := range elements {
		switch e.kind {
		case "ByteLevel":
			err = e.decode(&byteLevel{})
		case "TemplateProcessing":
			err = t.readTemplateProcessing(e)
		default:
			err = e.unknown()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Tokenizer) readTemplateProcessing(e element) error {
	var template templateProcessing
	if err := e.decode(&template); err != nil {
		return err
	}
	var before, after []int32
	seen := 0
	for _, piece := range template.Single {
		if piece.Sequence != nil {
			seen++
			continue
		}
		if piece.SpecialToken == nil {
			return fmt.Errorf("TemplateProcessing: single: a piece is neither SpecialToken nor Sequence")
		}
		ids := template.SpecialTokens[piece.SpecialToken.ID].IDs
		if len(ids) == 0 || slices.ContainsFunc(ids, func(id int32) bool { return id < 0 || int(id) >= t.Size() }) {
			return fmt.Errorf("TemplateProcessing: %q has no ids in the vocabulary", piece.SpecialToken.ID)
		}
		if seen == 0 {
			before = append(before, ids...)
		} else {
			after = append(after, ids...)
		}
	}
	if seen != 1 {
		return fmt.Errorf("TemplateProcessing: single holds %d sequences, not one", seen)
	}
	t.prefix, t.suffix = slices.Concat(before, t.prefix), slices.Concat(t.suffix, after)
	return nil
}
