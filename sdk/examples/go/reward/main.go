// Command my-reward judges answers by whether they contain the reference and are not too long.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "my-reward", Version: "0.1.0", Summary: "prefers short answers that contain the reference",
			Kinds: []sdk.Kind{sdk.KindReward}, Columns: []string{"response", "reference"}, Purity: sdk.Pure,
			Scores: []sdk.ScoreInfo{{Name: "length", Summary: "what the length takes away", HigherIsBetter: true}},
			Config: &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{
				"limit": {Type: []string{"integer"}, Summary: "characters that cost nothing", Default: 400},
			}},
		},
		New: open,
	})
}

func main() { wire.Serve() }

type reward struct {
	Limit int `json:"limit"`
}

func open(env sdk.Env) (any, error) {
	var r reward
	if err := json.Unmarshal(env.Config, &r); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if r.Limit < 0 {
		return nil, fmt.Errorf("limit is %d, below 0", r.Limit)
	}
	return r, nil
}

func (r reward) Reward(_ context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	judgements := make([]sdk.Judgement, len(samples))
	for i, s := range samples {
		judgements[i] = r.judge(s)
	}
	return judgements, nil
}

func (r reward) judge(s sdk.Sample) sdk.Judgement {
	if s.Reference == "" {
		return sdk.Judgement{Status: sdk.Abstain, Detail: "no reference"}
	}
	found, over := 0.0, max(0, utf8.RuneCountInString(s.Response)-r.Limit)
	if strings.Contains(s.Response, s.Reference) {
		found = 1
	}
	length := -0.001 * float64(over)
	return sdk.Judgement{Reward: found + length, Parts: map[string]float64{"length": length}}
}

var _ sdk.Reward = reward{}
