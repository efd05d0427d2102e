// Package examreward rewards answers to multiple-choice questions: for the right option, and for stating one so that it
// can be read. English and Chinese answers are understood.
package examreward

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

func init() {
	sdk.Register(sdk.Plugin{Manifest: manifest, New: open})
}

var manifest = sdk.Manifest{
	ABI:     sdk.ABI,
	Name:    "exam-reward",
	Version: "1.0.0",
	Summary: "Answer key and format of multiple-choice answers, English and Chinese",
	Kinds:   []sdk.Kind{sdk.KindReward},
	Columns: []string{"response", "reference"},
	Scores: []sdk.ScoreInfo{
		{Name: "correct", Summary: "1 when the one named option is that of the reference", HigherIsBetter: true},
		{Name: "format", Summary: "1 when the answer states one option, as in: Answer: B", HigherIsBetter: true},
	},
	Purity: sdk.Pure,
	Config: &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{
		"correct": {Type: []string{"number"}, Default: 0.9, Summary: "reward for the right option"},
		"format":  {Type: []string{"number"}, Default: 0.1, Summary: "reward for stating one option"},
	}},
}

// An examiner judges answers by these rewards.
type examiner struct {
	Correct float64 `json:"correct"`
	Format  float64 `json:"format"`
}

func open(env sdk.Env) (any, error) {
	e := &examiner{Correct: 0.9, Format: 0.1}
	if err := json.Unmarshal(env.Config, e); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if e.Correct < 0 || e.Format < 0 {
		return nil, fmt.Errorf("correct %v and format %v are rewards; neither is negative", e.Correct, e.Format)
	}
	return e, nil
}

// Reward implements sdk.Reward. Samples whose reference names no single option are not judged.
func (e *examiner) Reward(_ context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	judgements := make([]sdk.Judgement, len(samples))
	for i := range samples {
		judgements[i] = e.judge(samples[i].Response, samples[i].Reference)
	}
	return judgements, nil
}

func (e *examiner) judge(response, reference string) sdk.Judgement {
	key, _ := chosen(strings.ToUpper(reference))
	if key.count() != 1 {
		return sdk.Judgement{Status: sdk.Abstain, Detail: "the reference names no single option"}
	}
	options, stated := chosen(response)
	correct, format := 0.0, 0.0
	if options == key {
		correct = 1
	}
	if stated && options.count() == 1 {
		format = 1
	}
	return sdk.Judgement{
		Reward: e.Correct*correct + e.Format*format,
		Parts:  map[string]float64{"correct": correct, "format": format},
		Detail: fmt.Sprintf("names %v, key %v", options, key),
	}
}

var _ sdk.Reward = (*examiner)(nil)
