package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// postProcessorElement holds the keys of all post-processors.
type postProcessorElement struct {
	Type           string                   `json:"type"`
	Single         []templatePiece          `json:"single"`
	Pair           json.RawMessage          `json:"pair"`
	Special        map[string]templateToken `json:"special_tokens"`
	CLS            *namedToken              `json:"cls"`
	SEP            *namedToken              `json:"sep"`
	AddPrefixSpace bool                     `json:"add_prefix_space"`
	TrimOffsets    bool                     `json:"trim_offsets"`
	UseRegex       bool                     `json:"use_regex"`
}

var postProcessorKeys = map[string][]string{
	"ByteLevel":          {"add_prefix_space", "trim_offsets", "use_regex"},
	"TemplateProcessing": {"single", "pair", "special_tokens"},
	"BertProcessing":     {"sep", "cls"},
	"RobertaProcessing":  {"sep", "cls", "trim_offsets", "add_prefix_space"},
}

type templateToken struct {
	ID     string   `json:"id"`
	IDs    []int32  `json:"ids"`
	Tokens []string `json:"tokens"`
}

// templatePiece is one of its two fields: a token, or the text.
type templatePiece struct {
	SpecialToken, Sequence *struct {
		ID     string `json:"id"`
		TypeID int32  `json:"type_id"`
	}
}

// namedToken is a token with its id, written as a list of both.
type namedToken struct{ id int32 }

func (n *namedToken) UnmarshalJSON(raw []byte) error {
	var name string
	if err := json.Unmarshal(raw, &[2]any{&name, &n.id}); err != nil {
		return err
	}
	return nil
}

// readPostProcessor reads what the library puts around a text. ByteLevel changes offsets only.
func (t *Tokenizer) readPostProcessor(raw json.RawMessage) error {
	elements, err := flatten(raw, "processors")
	if err != nil {
		return err
	}
	for _, raw := range elements {
		var e postProcessorElement
		if err := raw.decode(&e, postProcessorKeys); err != nil {
			return err
		}
		before, after, err := e.around()
		if err != nil {
			return fmt.Errorf("%s: %w", e.Type, err)
		}
		pair, err := e.pairOf()
		if err != nil {
			return fmt.Errorf("%s: %w", e.Type, err)
		}
		all := slices.Concat(before, after)
		for _, piece := range pair {
			all = append(all, piece.ids...)
		}
		for _, id := range all {
			if id < 0 || int(id) >= t.Size() {
				return fmt.Errorf("%s: id %d is not in the vocabulary", e.Type, id)
			}
		}
		if pair != nil {
			t.pair = pair
		}
		t.prefix, t.suffix = slices.Concat(before, t.prefix), slices.Concat(t.suffix, after)
	}
	return nil
}

func (e *postProcessorElement) around() (before, after []int32, err error) {
	switch e.Type {
	case "TemplateProcessing":
		return e.template()
	case "BertProcessing", "RobertaProcessing":
		if e.CLS == nil || e.SEP == nil {
			return nil, nil, errors.New("cls or sep is missing")
		}
		return []int32{e.CLS.id}, []int32{e.SEP.id}, nil
	}
	return nil, nil, nil
}

func (e *postProcessorElement) template() (before, after []int32, err error) {
	seen := 0
	for _, piece := range e.Single {
		if piece.Sequence != nil {
			seen++
			continue
		}
		if piece.SpecialToken == nil {
			return nil, nil, errors.New("single: a piece is neither SpecialToken nor Sequence")
		}
		ids := e.Special[piece.SpecialToken.ID].IDs
		if len(ids) == 0 {
			return nil, nil, fmt.Errorf("%q has no ids", piece.SpecialToken.ID)
		}
		if seen == 0 {
			before = append(before, ids...)
		} else {
			after = append(after, ids...)
		}
	}
	if seen != 1 {
		return nil, nil, fmt.Errorf("single holds %d sequences, not one", seen)
	}
	return before, after, nil
}
