package tokenizer

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// testdata/pairs.json is written by testdata/pairs.py.
func TestPairsHaveTheLibrarysTokensAndTypes(t *testing.T) {
	for i, c := range readFixture[[]struct {
		Tokenizer  json.RawMessage
		IDs, Types []int32
	}](t, "pairs.json") {
		tok, err := assemble(tokenizerJSON(c.Tokenizer))
		if err != nil {
			t.Fatal(err)
		}
		ids, types, err := tok.Pair("what pumps blood", "the heart")
		if err != nil || !slices.Equal(ids, c.IDs) || !slices.Equal(types, c.Types) {
			t.Errorf("%d: tokens %v of types %v, %v, want %v and %v", i, ids, types, err, c.IDs, c.Types)
		}
	}
}

func TestPairsNeedAForm(t *testing.T) {
	if _, _, err := trained(t).Pair("a", "b"); !errors.Is(err, ErrPair) {
		t.Errorf("error %v", err)
	}
	type element = map[string]any
	text := element{"Sequence": element{"id": "A"}}
	for want, pair := range map[string][]element{
		"each of its sequences once": {text, text}, "neither SpecialToken nor Sequence": {{"Sequence": element{"id": "C"}}},
	} {
		_, err := parsed(change(bareFile(), element{
			"type": "TemplateProcessing", "single": []element{text}, "pair": pair, "special_tokens": element{},
		}, "post_processor"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
