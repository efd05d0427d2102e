// Package rewardhead rewards an answer with the output of a reward model of the host.
package rewardhead

import (
	"context"
	"encoding/json"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/sdk"
)

func init() {
	sdk.Register(sdk.Plugin{Manifest: manifest, New: open})
}

var manifest = sdk.Manifest{
	ABI:          sdk.ABI,
	Name:         "reward-head",
	Version:      "1.0.0",
	Summary:      "Reward of an answer as a reward model of the host sees it",
	Kinds:        []sdk.Kind{sdk.KindReward},
	Columns:      []string{"history", "response"},
	Purity:       sdk.Pure,
	Capabilities: []string{"model:reward"},
	Config: &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{
		"scale":  {Type: []string{"number"}, Default: 1, Summary: "factor of the model's output"},
		"offset": {Type: []string{"number"}, Default: 0, Summary: "added after scaling"},
	}},
}

// A head asks the model about answers.
type head struct {
	Scale  float64 `json:"scale"`
	Offset float64 `json:"offset"`
	model  sdk.Model
}

func open(env sdk.Env) (any, error) {
	h := &head{Scale: 1}
	if err := json.Unmarshal(env.Config, h); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	var err error
	if h.model, err = env.Host.Model("reward"); err != nil {
		return nil, err
	}
	if info := h.model.Info(); info.Outputs != 1 {
		return nil, fmt.Errorf("model %s has %d outputs; a reward model has one", info.Name, info.Outputs)
	}
	return h, nil
}

// Reward implements sdk.Reward. All samples are one request.
func (h *head) Reward(ctx context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	if len(samples) == 0 {
		return nil, nil
	}
	texts := make([][]sdk.Turn, len(samples))
	for i := range samples {
		n := len(samples[i].History)
		texts[i] = append(samples[i].History[:n:n], sdk.Turn{Role: sdk.RoleAssistant, Text: samples[i].Response})
	}
	outputs, err := h.model.Score(ctx, texts)
	if err != nil {
		return nil, fmt.Errorf("ask model %s: %w", h.model.Info().Name, err)
	}
	if len(outputs) != len(texts) {
		return nil, fmt.Errorf("model %s gives %d answers to %d texts", h.model.Info().Name, len(outputs), len(texts))
	}
	judgements := make([]sdk.Judgement, len(samples))
	for i, out := range outputs {
		judgements[i] = h.judge(out)
	}
	return judgements, nil
}

func (h *head) judge(output []float64) sdk.Judgement {
	if len(output) == 1 {
		if reward := output[0]*h.Scale + h.Offset; !math.IsNaN(reward) && !math.IsInf(reward, 0) {
			return sdk.Judgement{Reward: reward}
		}
	}
	return sdk.Judgement{Status: sdk.Fault, Detail: fmt.Sprintf("the model answers %v", output)}
}

var _ sdk.Reward = (*head)(nil)
