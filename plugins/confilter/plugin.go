// Package confilter keeps the dialogues whose answers make measured use of what was said before: CareBot's ConFilter
// (arXiv 2412.15236), of which Aquila-Med (Zhao et al. 2024, arXiv 2406.12182, equations 1 to 3) prints the formula as
// context relevance.
//
// For the answers 2 to n of a dialogue it takes the ratio
//
//	r = L(answer | history, question) / L(answer | question)
//
// where L is the mean negative log-likelihood of the answer's tokens, the same ones in both. A ratio above 1 says that
// the history does not help, so the context is unrelated; a ratio that is very small says that the answer repeats it.
// The score of a dialogue is the mean ratio, and the band that is kept has a lower and an upper bound. The sources
// print neither the bounds nor whether questions count; here they do not, because what is to be judged is the answer.
package confilter

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/carebot-llm/carebot/sdk"
)

func init() {
	sdk.Register(sdk.Plugin{Manifest: manifest, New: open})
}

// The reasons of verdicts.
const (
	unrelatedContext = "unrelated_context" // the score is above high
	redundantContext = "redundant_context" // the score is below low
	unrelatedTurn    = "unrelated_turn"    // the largest ratio is above max_turn
	singleTurn       = "single_turn"       // fewer than two answers: kept, with score 1
	shortAnswers     = "short_answers"     // all later answers are too short: kept, with score 1
)

var manifest = sdk.Manifest{
	ABI:          sdk.ABI,
	Name:         "confilter",
	Version:      "1.0.0",
	Summary:      "Drops dialogues whose answers ignore or repeat what was said before",
	Kinds:        []sdk.Kind{sdk.KindFilter},
	Columns:      []string{"turns"},
	Reasons:      []string{unrelatedContext, redundantContext, unrelatedTurn, singleTurn, shortAnswers},
	Purity:       sdk.Stateful,
	Capabilities: []string{"model:lm"},
	Config: &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{
		"low": {Type: []string{"number", "string"}, Default: "q05",
			Summary: "smallest score that is kept: a number, or a quantile of the data such as q05"},
		"high": {Type: []string{"number", "string"}, Default: 1.0, Summary: "largest score that is kept, likewise"},
		"max_turn": {Type: []string{"number", "string"},
			Summary: "largest ratio of a single answer that is kept, likewise; default: any"},
		"min_tokens": {Type: []string{"integer"}, Default: 8, Summary: "tokens below which an answer is short"},
		"short": {Type: []string{"string"}, Default: "skip",
			Summary: "skip short answers, or weight them by their tokens over min_tokens"},
	}},
}

type config struct {
	Low       bound  `json:"low"`
	High      bound  `json:"high"`
	MaxTurn   bound  `json:"max_turn"`
	MinTokens int    `json:"min_tokens"`
	Short     string `json:"short"`
}

// A filter judges dialogues. With a bound that is a quantile it knows the verdicts only at the end of the data.
type filter struct {
	config
	model sdk.Model
	later []measure // of the postponed dialogues, in their order
}

func open(env sdk.Env) (any, error) {
	f := &filter{config: config{Low: quantileBound(0.05), High: numberBound(1), MinTokens: 8, Short: "skip"}}
	if err := json.Unmarshal(env.Config, &f.config); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	var err error
	f.model, err = env.Host.Model("lm")
	return f, err
}

func (c *config) check() error {
	switch {
	case c.Short != "skip" && c.Short != "weight":
		return fmt.Errorf("short is %q; it is skip or weight", c.Short)
	case c.MinTokens < 1:
		return fmt.Errorf("min_tokens is %d; it is at least 1", c.MinTokens)
	case !c.Low.set || !c.High.set:
		return fmt.Errorf("low and high are numbers or quantiles, not null")
	case c.Low.quantile == c.High.quantile && c.Low.value > c.High.value:
		return fmt.Errorf("low %v is above high %v", c.Low.value, c.High.value)
	}
	return nil
}

// Filter implements sdk.Filter. All answers of all dialogues are one request.
func (f *filter) Filter(ctx context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	measures, err := f.measure(ctx, dialogues)
	if err != nil {
		return nil, err
	}
	verdicts := make([]sdk.Verdict, len(measures))
	for i, m := range measures {
		switch {
		case m.fault != "":
			verdicts[i] = sdk.Verdict{Status: sdk.Fault, Detail: m.fault}
		case m.unjudged != "":
			verdicts[i] = sdk.Verdict{Action: sdk.Keep, Score: 1, Reasons: []string{m.unjudged}}
		case f.Low.quantile || f.High.quantile || f.MaxTurn.quantile:
			verdicts[i] = sdk.Verdict{Action: sdk.Later, Score: m.mean, Detail: m.detail()}
			f.later = append(f.later, m)
		default:
			verdicts[i] = f.judge(m)
		}
	}
	return verdicts, nil
}

// Flush implements sdk.Flusher.
func (f *filter) Flush(context.Context) ([]sdk.Verdict, error) {
	decided := &filter{config: f.config}
	decided.Low = f.Low.of(f.later, func(m measure) float64 { return m.mean })
	decided.High = f.High.of(f.later, func(m measure) float64 { return m.mean })
	decided.MaxTurn = f.MaxTurn.of(f.later, func(m measure) float64 { return m.highest })
	verdicts := make([]sdk.Verdict, len(f.later))
	for i, m := range f.later {
		verdicts[i] = decided.judge(m)
	}
	f.later = nil
	return verdicts, nil
}

// judge compares with bounds that are numbers.
func (c *config) judge(m measure) sdk.Verdict {
	v := sdk.Verdict{Action: sdk.Keep, Score: m.mean, Detail: m.detail()}
	if m.mean > c.High.value {
		v.Reasons = append(v.Reasons, unrelatedContext)
	}
	if m.mean < c.Low.value {
		v.Reasons = append(v.Reasons, redundantContext)
	}
	if c.MaxTurn.set && m.highest > c.MaxTurn.value {
		v.Reasons = append(v.Reasons, unrelatedTurn)
	}
	if len(v.Reasons) > 0 {
		v.Action = sdk.Drop
	}
	return v
}

var (
	_ sdk.Filter  = (*filter)(nil)
	_ sdk.Flusher = (*filter)(nil)
)
