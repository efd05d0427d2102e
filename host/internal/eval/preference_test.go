package eval

import (
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

func pairs() []*data.Record {
	history := []sdk.Turn{
		{Role: sdk.RoleUser, Text: "I am ill"},
		{Role: sdk.RoleAssistant, Text: "since?"},
		{Role: sdk.RoleUser, Text: "today"},
	}
	return []*data.Record{
		{Prompt: user("fever?"), Chosen: "rest", Rejected: "running and noise"},
		{Prompt: user("fever?"), Chosen: "please rest and take water", Rejected: "no"},
		{Prompt: user("发烧"), Chosen: "休息", Rejected: "跑步"},
		{Prompt: history, Chosen: "then rest", Rejected: "go"},
		{Prompt: history, Chosen: "go", Rejected: "then rest"},
	}
}

// won counts the pairs in which the first score is higher.
func won(scores func(prompt []sdk.Turn, answer string) float64) int {
	n := 0
	for _, p := range pairs() {
		if scores(p.Prompt, p.Chosen) > scores(p.Prompt, p.Rejected) {
			n++
		}
	}
	return n
}

func TestPreferencesCompareWhatTheModelFindsBetter(t *testing.T) {
	s, reference, head := talker(t, 1), talker(t, 2), judge(t, 1)
	answer := func(s *Served, prompt []sdk.Turn, text string) sdk.LogLik {
		return loglik(t, s, sdk.LogLikRequest{Context: prompt, Continuation: text})
	}
	perToken := won(func(prompt []sdk.Turn, text string) float64 {
		a := answer(s, prompt, text)
		return a.LogProb / float64(a.Tokens)
	})
	gain := won(func(prompt []sdk.Turn, text string) float64 {
		return answer(s, prompt, text).LogProb - answer(reference, prompt, text).LogProb
	})
	reward := won(func(prompt []sdk.Turn, text string) float64 {
		turns := append(append([]sdk.Turn{}, prompt...), sdk.Turn{Role: sdk.RoleAssistant, Text: text})
		rows, err := head.Score(t.Context(), [][]sdk.Turn{turns})
		if err != nil {
			t.Fatal(err)
		}
		return rows[0][0]
	})
	for name, c := range map[string]struct {
		model, reference *Served
		want             int
	}{
		"per token":              {s, nil, perToken},
		"less the reference":     {s, reference, gain},
		"a reward":               {head, nil, reward},
		"against itself, no one": {s, s, 0},
		"equals, no one":         {uniform(t), nil, 0},
	} {
		got, err := MeasurePreference(t.Context(), c.model, c.reference, pairs())
		want := Accuracy{Items: 5, Correct: c.want, Share: float64(c.want) / 5, Chance: 0.5}
		if err != nil || got != want {
			t.Errorf("%s: %+v, want %+v (%v)", name, got, want, err)
		}
	}
}

// A sum of log-probabilities would prefer the shorter answer, whatever it says.
func TestTheShorterAnswerIsNotPreferredForItsLength(t *testing.T) {
	s := uniform(t)
	short := []*data.Record{{Prompt: user("fever?"), Chosen: "no", Rejected: "please rest and take water"}}
	if got, err := MeasurePreference(t.Context(), s, nil, short); err != nil || got.Correct != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestScoringPairsLeavesTheirPromptsAlone(t *testing.T) {
	prompt := append(make([]sdk.Turn, 0, 4), user("fever?")...)
	pair := []*data.Record{{Prompt: prompt, Chosen: "rest", Rejected: "running"}}
	if _, err := MeasurePreference(t.Context(), judge(t, 1), nil, pair); err != nil {
		t.Fatal(err)
	}
	if spare := prompt[:2][1]; spare != (sdk.Turn{}) {
		t.Errorf("behind the prompt lies %+v", spare)
	}
}

func TestAFailingReferenceIsNamed(t *testing.T) {
	broken := []*data.Record{{Prompt: []sdk.Turn{{Role: "narrator"}}, Chosen: "a", Rejected: "b"}}
	for name, c := range map[string]struct {
		reference *Served
		pairs     []*data.Record
		want      string
	}{
		"the model":     {nil, broken, "preferences: "},
		"the reference": {encoder(t), pairs(), "preferences under the reference: "},
	} {
		if _, err := MeasurePreference(t.Context(), talker(t, 1), c.reference, c.pairs); err == nil ||
			!strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
