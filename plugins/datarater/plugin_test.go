package datarater

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/carebot-llm/carebot/sdk"
)

// fake rates a text by a function of it.
type fake struct {
	info   sdk.ModelInfo
	rate   func(text string) float64
	calls  int
	failed error
}

func (f *fake) Info() sdk.ModelInfo { return f.info }

func (f *fake) LogLik(context.Context, []sdk.LogLikRequest) ([]sdk.LogLik, error) {
	return nil, errors.New("a rater is no language model")
}

func (f *fake) Score(_ context.Context, texts [][]sdk.Turn) ([][]float64, error) {
	f.calls++
	answers := make([][]float64, len(texts))
	for i, turns := range texts {
		if len(turns) != 1 || turns[0].Role != sdk.RoleRaw {
			return nil, errors.New("a document is one raw turn")
		}
		answers[i] = []float64{f.rate(turns[0].Text)}
	}
	return answers, f.failed
}

func (f *fake) Embed(context.Context, []string) ([][]float64, error) {
	return nil, errors.New("not asked for")
}

func (f *fake) Model(name string) (sdk.Model, error) {
	if name != "quality" {
		return nil, errors.New("nothing is bound to " + name)
	}
	return f, nil
}

func (f *fake) Log(sdk.Level, string) {}

// byMark rates a text by the number of exclamation marks in it.
func byMark(text string) float64 { return float64(strings.Count(text, "!")) }

func opened(t *testing.T, f *fake, config string) *rater {
	t.Helper()
	r, err := open(sdk.Env{Config: []byte(config), Host: f})
	if err != nil {
		t.Fatal(err)
	}
	return r.(*rater)
}

func texts(all ...string) []sdk.Document {
	docs := make([]sdk.Document, len(all))
	for i, text := range all {
		docs[i].Text = text
	}
	return docs
}

// Three chunks of at most 13 estimated tokens: 39 ASCII characters or 13 others.
const long = "Rest. Drink water. Sleep well!!!\n\n多喝水，早点睡觉!\n\nNothing else helps against a cold!!!!!!"

func TestChunksOfABatchAreOneRequest(t *testing.T) {
	f := &fake{info: sdk.ModelInfo{MaxTokens: 15, Outputs: 1}, rate: byMark}
	got, err := opened(t, f, `{}`).Score(context.Background(), texts("ok!!", long, " \n", "ok!!!!!!!!!"))
	if err != nil {
		t.Fatal(err)
	}
	w := []float64{32, 3*8 + 1, 39}
	want := []sdk.Rating{
		{Scores: map[string]float64{"quality": 2}},
		{Scores: map[string]float64{"quality": (3*w[0] + 1*w[1] + 5*w[2]) / (w[0] + w[1] + w[2])},
			Detail: "3 chunks from 1.00 to 5.00"},
		{Status: sdk.Abstain, Detail: "the document is blank"},
		{Scores: map[string]float64{"quality": 5}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	if f.calls != 1 {
		t.Errorf("%d requests", f.calls)
	}
}

func TestAggregateAndRangeAreConfigurable(t *testing.T) {
	for config, want := range map[string]float64{
		`{"chunk": 13, "aggregate": "min"}`:                       1,
		`{"chunk": 13, "aggregate": "max"}`:                       5,
		`{"chunk": 13, "aggregate": "max", "max": 10}`:            6,
		`{"chunk": 13, "aggregate": "min", "min": 2, "max": 2.5}`: 2,
		`{"chunk": 1000, "max": 20}`:                              10,
	} {
		f := &fake{info: sdk.ModelInfo{MaxTokens: 512, Outputs: 1}, rate: byMark}
		got, err := opened(t, f, config).Score(context.Background(), texts(long))
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Scores["quality"] != want {
			t.Errorf("%s: %v, want %v", config, got[0].Scores["quality"], want)
		}
	}
}

func TestOddAnswerIsAFaultOfItsDocument(t *testing.T) {
	f := &fake{info: sdk.ModelInfo{MaxTokens: 64, Outputs: 1}, rate: func(text string) float64 {
		if text == "bad" {
			return math.NaN()
		}
		return 3
	}}
	got, err := opened(t, f, `{}`).Score(context.Background(), texts("good", "bad", "good"))
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Status != sdk.OK || got[1].Status != sdk.Fault || got[2].Status != sdk.OK || got[1].Scores != nil {
		t.Errorf("%+v", got)
	}
}

func TestFailureOfTheModelFailsTheBatch(t *testing.T) {
	f := &fake{info: sdk.ModelInfo{MaxTokens: 64, Outputs: 1}, rate: byMark, failed: errors.New("out of memory")}
	if _, err := opened(t, f, `{}`).Score(context.Background(), texts("a")); !errors.Is(err, f.failed) {
		t.Errorf("error %v", err)
	}
}

func TestWrongConfigurationIsRefused(t *testing.T) {
	for config, want := range map[string]string{
		`{"chunk": -1}`:            "chunk is -1",
		`{"aggregate": "median"}`:  `aggregate is "median"`,
		`{"min": 5}`:               "min 5 is not below max 5",
		`{"min": "0"}`:             "string",
		`{"chunk": 4, "max": 0.1}`: "",
	} {
		_, err := open(sdk.Env{Config: []byte(config), Host: &fake{info: sdk.ModelInfo{MaxTokens: 64, Outputs: 1}}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want one with %q", config, err, want)
		}
	}
}

func TestModelWithoutOneOutputIsRefused(t *testing.T) {
	for _, info := range []sdk.ModelInfo{{MaxTokens: 64}, {MaxTokens: 64, Outputs: 6}, {MaxTokens: 2, Outputs: 1}} {
		if _, err := open(sdk.Env{Config: []byte(`{}`), Host: &fake{info: info}}); err == nil {
			t.Errorf("%+v is taken", info)
		}
	}
}

func TestChunksEndAtTheBestBorder(t *testing.T) {
	for _, c := range []struct {
		text string
		size int
		want []string
	}{
		{"short", 100, []string{"short"}},
		{"one two\n\nthree four\n\nfive", 7, []string{"one two\n\nthree four", "five"}},
		{"one two three\nfour five six", 5, []string{"one two three", "four five six"}},
		{"First point. Second one. Third.", 5, []string{"First point.", "Second one.", "Third."}},
		{"多喝水。多睡觉！不熬夜", 8, []string{"多喝水。多睡觉！", "不熬夜"}},
		{"antidisestablishment", 3, []string{"antidises", "tablishme", "nt"}},
		{"a 多喝水多睡觉", 3, []string{"a", "多喝水", "多睡觉"}},
		{"dose 3.5 mg. daily", 5, []string{"dose 3.5 mg.", "daily"}},
		{" \n\t ", 4, nil},
	} {
		if diff := cmp.Diff(c.want, chunks(c.text, c.size)); diff != "" {
			t.Errorf("%q by %d: want (-), got (+):\n%s", c.text, c.size, diff)
		}
	}
}

func dense(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
}

func TestChunksAreTheWholeTextAndFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := []string{"a", "word", " ", "\n", "\n\n", ". ", "。", "咳嗽", "\u00a0", "𠀀"}
		parts := rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "parts")
		text, size := strings.Join(parts, ""), rapid.IntRange(1, 20).Draw(t, "size")
		all := chunks(text, size)
		if got, want := dense(strings.Join(all, "")), dense(text); got != want {
			t.Fatalf("%q instead of %q", got, want)
		}
		for _, c := range all {
			if cost(c) > 3*size || c == "" || !utf8.ValidString(c) {
				t.Fatalf("chunk %q of %q", c, text)
			}
		}
	})
}
