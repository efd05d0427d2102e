// Package example is a plugin of all three kinds that the conformance tests build in three ways. It shows what a plugin
// may do: read its configuration, leave scores out, abstain, edit, and ask the host's models.
package example

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/sdk"
)

// Name is the plugin's name.
const Name = "sdktest-example"

func init() {
	zero, one := 0.0, 1.0
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: Name, Version: "1.0.0", Purity: sdk.Pure,
			Kinds: []sdk.Kind{sdk.KindScorer, sdk.KindFilter, sdk.KindReward},
			Scores: []sdk.ScoreInfo{
				{Name: "runes", HigherIsBetter: true}, {Name: "spaces", Min: &zero, Max: &one}, {Name: "rated"}, {Name: "exact"},
			},
			Reasons:      []string{"short", "incoherent"},
			Capabilities: []string{"model:lm", "model:rater"},
			Config: &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{
				"low":      {Type: []string{"number"}, Summary: "likelihood ratio below which a dialogue is dropped", Default: 0.5},
				"greeting": {Type: []string{"string"}, Summary: "text that is cut from the start of an answer", Default: "Hello. "},
			}},
		},
		New: open,
	})
}

type plugin struct {
	Low       float64 `json:"low"`
	Greeting  string  `json:"greeting"`
	lm, rater sdk.Model
	host      sdk.Host
}

func open(env sdk.Env) (any, error) {
	p := &plugin{host: env.Host}
	if err := json.Unmarshal(env.Config, p); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if p.Low < 0 {
		return nil, fmt.Errorf("low is %v, below 0", p.Low)
	}
	var err error
	if p.lm, err = env.Host.Model("lm"); err != nil {
		return nil, err
	}
	p.rater, err = env.Host.Model("rater")
	return p, err
}

// Score measures texts and has them rated. A text without a letter is not rated; one in no language is not judged at
// all.
func (p *plugin) Score(ctx context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	texts := make([][]sdk.Turn, len(docs))
	for i, d := range docs {
		texts[i] = []sdk.Turn{{Text: d.Text}}
	}
	rated, err := p.rater.Score(ctx, texts)
	if err != nil {
		return nil, err
	}
	ratings := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		runes := float64(utf8.RuneCountInString(d.Text))
		spaces := float64(strings.Count(d.Text, " "))
		scores := map[string]float64{"runes": runes, "spaces": spaces / max(runes, 1), "exact": 0}
		if d.Text != "" {
			scores["rated"] = rated[i][0]
		}
		ratings[i] = sdk.Rating{Scores: scores, Detail: d.Meta}
		if d.Language == "und" {
			ratings[i] = sdk.Rating{Status: sdk.Abstain, Detail: "no language"}
		}
	}
	return ratings, nil
}

// Filter compares the likelihood of the last turn with and without what came before it.
func (p *plugin) Filter(ctx context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	verdicts := make([]sdk.Verdict, len(dialogues))
	var requests []sdk.LogLikRequest
	var of []int
	for i, d := range dialogues {
		if len(d.Turns) < 2 {
			verdicts[i] = sdk.Verdict{Action: sdk.Drop, Reasons: []string{"short"}}
			continue
		}
		last := len(d.Turns) - 1
		requests = append(requests, sdk.LogLikRequest{
			Context: d.Turns[:last], Context2: d.Turns[last-1 : last], Continuation: d.Turns[last].Text,
		})
		of = append(of, i)
	}
	likelihoods, err := p.lm.LogLik(ctx, requests)
	if err != nil {
		return nil, err
	}
	for k, l := range likelihoods {
		verdicts[of[k]] = p.verdict(dialogues[of[k]], l)
	}
	p.host.Log(sdk.Info, fmt.Sprintf("%d of %d dialogues compared", len(requests), len(dialogues)))
	return verdicts, nil
}

func (p *plugin) verdict(d sdk.Dialogue, l sdk.LogLik) sdk.Verdict {
	v := sdk.Verdict{Score: l.LogProb2 / l.LogProb, Detail: fmt.Sprintf("%d tokens", l.Tokens)}
	for i, turn := range d.Turns {
		if rest, cut := strings.CutPrefix(turn.Text, p.Greeting); cut && turn.Role == sdk.RoleAssistant {
			v.Action, v.Edits = sdk.Edit, append(v.Edits, sdk.TurnEdit{Turn: i, Text: rest})
		}
	}
	if v.Score < p.Low {
		v.Action, v.Reasons, v.Edits = sdk.Drop, []string{"incoherent"}, nil
	}
	return v
}

// Reward prefers the reference and what lies near it.
func (p *plugin) Reward(ctx context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	texts := make([]string, 0, 2*len(samples))
	for _, s := range samples {
		texts = append(texts, s.Response, s.Reference)
	}
	vectors, err := p.lm.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	judgements := make([]sdk.Judgement, len(samples))
	for i, s := range samples {
		near, exact := 0.0, 0.0
		for k, v := range vectors[2*i] {
			near += v * vectors[2*i+1][k]
		}
		if s.Response == s.Reference {
			exact = 1
		}
		judgements[i] = sdk.Judgement{Reward: exact + near, Parts: map[string]float64{"exact": exact, "runes": near}}
	}
	return judgements, nil
}

var (
	_ sdk.Scorer = (*plugin)(nil)
	_ sdk.Filter = (*plugin)(nil)
	_ sdk.Reward = (*plugin)(nil)
)
