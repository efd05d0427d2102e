package run

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

// scorekeeper is a pure reward that gives each response a number of its own, and does what the response says.
type scorekeeper struct {
	Turn float64 `json:"turn"` // 1, or -1 to order all answers the other way
	Salt string  `json:"salt"`
	Fail bool    `json:"fail"` // on every third response
}

// whenJudged, unless nil, is told of every response.
var whenJudged func(r *scorekeeper, response string)

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "test-reward", Version: "1", Kinds: []sdk.Kind{sdk.KindReward}, Purity: sdk.Pure,
			Scores: []sdk.ScoreInfo{{Name: "length"}},
			Config: &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{
				"turn": {Type: []string{"number"}}, "salt": {Type: []string{"string"}},
				"fail": {Type: []string{"boolean"}},
			}},
		},
		New: func(env sdk.Env) (any, error) {
			r := &scorekeeper{Turn: 1}
			return r, json.Unmarshal(env.Config, r)
		},
	})
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "test-asker", Version: "1", Kinds: []sdk.Kind{sdk.KindReward}, Purity: sdk.Pure,
			Capabilities: []string{"model:judge"},
		},
		New: func(env sdk.Env) (any, error) {
			m, err := env.Host.Model("judge")
			return asker{m}, err
		},
	})
}

// Reward gives a multiple of an eighth, so that floats hold it exactly.
func (r *scorekeeper) Reward(_ context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	all := make([]sdk.Judgement, len(samples))
	for i, s := range samples {
		if whenJudged != nil {
			whenJudged(r, s.Response)
		}
		h := fnv.New32a()
		h.Write([]byte(r.Salt + s.Response))
		sum := h.Sum32()
		all[i] = sdk.Judgement{
			Reward: r.Turn * float64(sum%64) / 8, Parts: map[string]float64{"length": float64(len(s.Response))},
		}
		switch {
		case r.Fail && sum%3 == 0, strings.Contains(s.Response, "fault"):
			all[i] = sdk.Judgement{Status: sdk.Fault, Detail: "told to fail"}
		case strings.Contains(s.Response, "abstain"):
			all[i] = sdk.Judgement{Status: sdk.Abstain, Detail: "not mine"}
		}
	}
	return all, nil
}

// asker rewards the likelihood that a model gives a response.
type asker struct{ model sdk.Model }

func (a asker) Reward(ctx context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	requests := make([]sdk.LogLikRequest, len(samples))
	for i, s := range samples {
		requests[i] = sdk.LogLikRequest{Context: s.History, Continuation: s.Response}
	}
	answers, err := a.model.LogLik(ctx, requests)
	all := make([]sdk.Judgement, len(answers))
	for i := range answers {
		all[i].Reward = answers[i].LogProb
	}
	return all, err
}

var (
	_ sdk.Reward = (*scorekeeper)(nil)
	_ sdk.Reward = asker{}
)
