package eval

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

func heldOut() []*data.Record {
	return []*data.Record{
		{Language: "en", Text: "the patient has fever"},
		{Language: "zh", Text: "病人发烧咳嗽"},
		{Language: "en", Text: strings.Repeat("the doctor advises water and rest. ", 12)},
		{Language: "en", Text: "a headache"},
	}
}

func TestAUniformModelsPerplexityIsItsVocabulary(t *testing.T) {
	s := uniform(t)
	all, err := MeasurePerplexity(t.Context(), s, heldOut())
	if err != nil || len(all) != 2 {
		t.Fatalf("%d languages, %v", len(all), err)
	}
	vocabulary := float64(s.tok.Size())
	for language, documents := range map[string]int{"en": 3, "zh": 1} {
		tokens, bytes := 0, 0
		for _, r := range heldOut() {
			if r.Language == language {
				tokens += len(data.TextTokens(s.tok, r.Text)) - 1
				bytes += len(r.Text)
			}
		}
		got := all[language]
		if got.Documents != documents || got.Tokens != tokens {
			t.Errorf("%s: %d documents of %d tokens, want %d of %d", language, got.Documents, got.Tokens, documents, tokens)
		}
		if math.Abs(got.Perplexity-vocabulary) > 1e-4*vocabulary {
			t.Errorf("%s: perplexity %g, want %g", language, got.Perplexity, vocabulary)
		}
		if want := float64(tokens) * math.Log2(vocabulary) / float64(bytes); math.Abs(got.BitsPerByte-want) > 1e-4*want {
			t.Errorf("%s: %g bits per byte, want %g", language, got.BitsPerByte, want)
		}
	}
}

func TestPerplexityIsThatOfEachTokenGivenItsWindow(t *testing.T) {
	s := talker(t, 1)
	text := heldOut()[2]
	all, err := MeasurePerplexity(t.Context(), s, []*data.Record{text})
	if err != nil {
		t.Fatal(err)
	}
	ids := data.TextTokens(s.tok, text.Text)
	if len(ids) < 2*contextLen {
		t.Fatalf("%d tokens are too few for several windows", len(ids))
	}
	logProb := 0.0
	for from := 0; from < len(ids)-1; from += contextLen - 1 {
		window := ids[from:min(len(ids), from+contextLen)]
		logProb += sum(t, s, window, len(window)-1)
	}
	want := math.Exp(-logProb / float64(len(ids)-1))
	if got := all["en"].Perplexity; math.Abs(got-want) > 1e-9*want {
		t.Errorf("perplexity %g, want %g", got, want)
	}
}

func TestWindowsScoreEachTokenOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.Int32(), 0, 60).Draw(t, "ids")
		width := rapid.IntRange(2, 20).Draw(t, "width")
		var scored []int32
		for _, w := range windows(ids, width) {
			if len(w.ids) > width || w.from < 1 {
				t.Fatalf("a window of %d tokens, scored from %d", len(w.ids), w.from)
			}
			scored = append(scored, w.ids[w.from:]...)
		}
		if want := ids[min(1, len(ids)):]; !slices.Equal(scored, want) {
			t.Fatalf("scored %v, want %v", scored, want)
		}
	})
}

func TestTargetsAreTheScoredTokens(t *testing.T) {
	for _, c := range []struct {
		span span
		want []int32
	}{
		{span{[]int32{7, 8, 9}, 1}, []int32{8, 9, -1}},
		{span{[]int32{7, 8, 9}, 2}, []int32{-1, 9, -1}},
		{span{[]int32{7, 8, 9}, 3}, []int32{-1, -1, -1}},
		{span{[]int32{7}, 1}, []int32{-1}},
		{span{nil, 0}, nil},
	} {
		if got := c.span.targets(); !slices.Equal(got, c.want) {
			t.Errorf("%v: targets %v, want %v", c.span, got, c.want)
		}
		if n := len(slices.DeleteFunc(c.span.targets(), func(id int32) bool { return id < 0 })); n != c.span.scored() {
			t.Errorf("%v: %d targets, but %d scored", c.span, n, c.span.scored())
		}
	}
}

func TestPerplexityOfADialogueCountsItsTurns(t *testing.T) {
	s := uniform(t)
	turns := []sdk.Turn{{Role: sdk.RoleUser, Text: "fever?"}, {Role: sdk.RoleAssistant, Text: "rest and water"}}
	ids, err := s.tok.Chat(turns, false)
	if err != nil {
		t.Fatal(err)
	}
	all, err := MeasurePerplexity(t.Context(), s, []*data.Record{{Language: "en", Turns: turns}})
	if err != nil || all["en"].Tokens != len(ids)-1 {
		t.Errorf("%d tokens scored of %d, %v", all["en"].Tokens, len(ids), err)
	}
	if vocabulary := float64(s.tok.Size()); math.Abs(all["en"].Perplexity-vocabulary) > 1e-4*vocabulary {
		t.Errorf("perplexity %g, want %g", all["en"].Perplexity, vocabulary)
	}
}
