package run

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/sdk"
)

// judge is a plugin of all kinds that does what the records' words say.
type judge struct {
	Weight    float64 `json:"weight"`
	postponed int
}

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "test-judge", Version: "1",
			Kinds:   []sdk.Kind{sdk.KindScorer, sdk.KindFilter, sdk.KindReward},
			Scores:  []sdk.ScoreInfo{{Name: "length"}, {Name: "second"}},
			Reasons: []string{"rude", "short"},
			Purity:  sdk.Stateful,
			Config:  &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{"weight": {Type: []string{"number"}}}},
		},
		New: func(env sdk.Env) (any, error) {
			j := &judge{Weight: 1}
			return j, json.Unmarshal(env.Config, j)
		},
	})
}

func says(text, word string) bool { return strings.Contains(text, word) }

// Score gives the length of a text, and a second score to those that do not say "partly".
func (j *judge) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	all := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		length := float64(utf8.RuneCountInString(d.Text))
		switch {
		case says(d.Text, "abstain"):
			all[i] = sdk.Rating{Status: sdk.Abstain, Detail: "not mine"}
		case says(d.Text, "fault"):
			all[i] = sdk.Rating{Status: sdk.Fault, Detail: "told to fail"}
		case says(d.Text, "partly"):
			all[i] = sdk.Rating{Scores: map[string]float64{"length": length}}
		default:
			all[i] = sdk.Rating{Scores: map[string]float64{"length": length, "second": 2}}
		}
	}
	return all, nil
}

// Filter does with a dialogue what its last turn says.
func (j *judge) Filter(_ context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	all := make([]sdk.Verdict, len(dialogues))
	for i, d := range dialogues {
		last := len(d.Turns) - 1
		text := d.Turns[last].Text
		all[i] = sdk.Verdict{Score: float64(len(d.Turns))}
		switch {
		case says(text, "abstain"):
			all[i].Status = sdk.Abstain
		case says(text, "fault"):
			all[i].Status, all[i].Detail = sdk.Fault, "told to fail"
		case says(text, "drop"):
			all[i].Action, all[i].Reasons, all[i].Detail = sdk.Drop, []string{"rude", "short"}, "told to drop"
		case says(text, "go"):
			all[i].Action = sdk.Drop
		case says(text, "later"):
			all[i].Action = sdk.Later
			j.postponed++
		case says(text, "change"):
			all[i].Action, all[i].Edits = sdk.Edit, []sdk.TurnEdit{{Turn: last, Text: "changed"}}
		case says(text, "beyond"):
			all[i].Action, all[i].Edits = sdk.Edit, []sdk.TurnEdit{{Turn: last + 1, Text: "changed"}}
		}
	}
	return all, nil
}

// Flush keeps the first, third, ... of the postponed dialogues.
func (j *judge) Flush(context.Context) ([]sdk.Verdict, error) {
	all := make([]sdk.Verdict, j.postponed)
	for i := range all {
		all[i].Score = float64(i)
		if i%2 == 1 {
			all[i].Action, all[i].Reasons = sdk.Drop, []string{"short"}
		}
	}
	j.postponed = 0
	return all, nil
}

// Reward is the weighted length of the response; without a weight it abstains.
func (j *judge) Reward(_ context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	all := make([]sdk.Judgement, len(samples))
	for i, s := range samples {
		switch all[i].Reward = j.Weight * float64(len(s.Response)); {
		case j.Weight == 0, says(s.Response, "abstain"):
			all[i] = sdk.Judgement{Status: sdk.Abstain, Reward: math.NaN()}
		case says(s.Response, "fault"):
			all[i] = sdk.Judgement{Status: sdk.Fault, Detail: "told to fail"}
		}
	}
	return all, nil
}

var (
	_ sdk.Scorer  = (*judge)(nil)
	_ sdk.Flusher = (*judge)(nil)
	_ sdk.Reward  = (*judge)(nil)
)
