// Package judge asks a language model behind an OpenAI-compatible endpoint: it rates documents from 0 to 5 by an
// additive rubric, the labels that a DataRater learns from, and compares two answers, labels for preference learning.
// Each question is asked twice, in two orders, and what the answers disagree about is not judged or a tie.
//
// It runs as a process, for it needs the network. Every answer can be recorded, and a run repeated from the record.
package judge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/carebot-llm/carebot/sdk"
)

func init() {
	sdk.Register(sdk.Plugin{Manifest: manifest, New: open})
}

var (
	lowest, highest = 0.0, 5.0

	// The plugin is stateful because a limit on spending and a record belong to one instance.
	manifest = sdk.Manifest{
		ABI:     sdk.ABI,
		Name:    "judge",
		Version: "1.0.0",
		Summary: "Rates documents, and compares answers, with a language model behind an OpenAI-compatible endpoint",
		Kinds:   []sdk.Kind{sdk.KindScorer, sdk.KindReward},
		Columns: []string{"text", "language", "history", "response", "reference"},
		Scores: []sdk.ScoreInfo{
			{Name: "quality", Summary: "rating of a document", Min: &lowest, Max: &highest, HigherIsBetter: true},
			{Name: "win", Summary: "1 when the answer is better than the reference", HigherIsBetter: true},
			{Name: "tie", Summary: "1 when neither is better, or the order of the two decides"},
			{Name: "loss", Summary: "1 when the reference is better"},
		},
		Purity:       sdk.Stateful,
		Capabilities: []string{"network"},
		Config:       &schema,
	}
)

// A judge answers records, several at a time.
type judge struct {
	config
	chat *chat
}

func open(env sdk.Env) (any, error) {
	c, err := configured(env.Config)
	if err != nil {
		return nil, err
	}
	chat, err := newChat(c, env.Host.Log)
	if err != nil {
		return nil, err
	}
	return &judge{c, chat}, nil
}

// Score implements sdk.Scorer. A document on which the two ratings differ too much, or whose rating cannot be read, is
// not judged.
func (j *judge) Score(ctx context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	err := j.each(ctx, len(docs), func(i int) {
		quality, status, detail := j.rate(ctx, &docs[i])
		if ratings[i] = (sdk.Rating{Status: status, Detail: detail}); status == sdk.OK {
			ratings[i].Scores = map[string]float64{"quality": quality}
		}
	})
	return ratings, err
}

// Reward implements sdk.Reward: 1 when the response is better than the reference, 0.5 for a tie, 0 when it is worse. A
// sample without a reference is not judged.
func (j *judge) Reward(ctx context.Context, samples []sdk.Sample) ([]sdk.Judgement, error) {
	judgements := make([]sdk.Judgement, len(samples))
	err := j.each(ctx, len(samples), func(i int) {
		o, status, detail := j.compare(ctx, &samples[i])
		if judgements[i] = (sdk.Judgement{Status: status, Detail: detail}); status == sdk.OK {
			judgements[i].Reward = o.reward()
			judgements[i].Parts = o.parts()
		}
	})
	return judgements, err
}

// each works on n records, as many at a time as the configuration allows. It fails when the call is cancelled.
func (j *judge) each(ctx context.Context, n int, work func(i int)) error {
	var all sync.WaitGroup
	free := make(chan struct{}, j.Parallel)
	for i := 0; i < n && ctx.Err() == nil; i++ {
		free <- struct{}{}
		all.Go(func() {
			work(i)
			<-free
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// rate asks for a document's rating twice and takes the mean.
func (j *judge) rate(ctx context.Context, d *sdk.Document) (float64, sdk.Status, string) {
	var ratings [2]float64
	for k := range ratings {
		text, err := j.chat.ask(ctx, ratingPrompt(d, j.Characters, k))
		if err != nil {
			return 0, sdk.Fault, err.Error()
		}
		if ratings[k], err = readRating(text); err != nil {
			return 0, sdk.Abstain, err.Error()
		}
	}
	detail := fmt.Sprintf("rated %v and %v", ratings[0], ratings[1])
	if math.Abs(ratings[0]-ratings[1]) >= j.Disagreement {
		return 0, sdk.Abstain, detail
	}
	return (ratings[0] + ratings[1]) / 2, sdk.OK, detail
}

// compare asks which of two answers is better, in both orders.
func (j *judge) compare(ctx context.Context, s *sdk.Sample) (outcome, sdk.Status, string) {
	if s.Reference == "" {
		return tie, sdk.Abstain, "there is no reference to compare with"
	}
	var outcomes [2]outcome
	for k := range outcomes {
		text, err := j.chat.ask(ctx, comparisonPrompt(s, j.Characters, k))
		if err != nil {
			return tie, sdk.Fault, err.Error()
		}
		first, err := readComparison(text)
		if err != nil {
			return tie, sdk.Abstain, err.Error()
		}
		if outcomes[k] = first; k == 1 { // the reference came first
			outcomes[k] = -first
		}
	}
	detail := fmt.Sprintf("%v when first, %v when second", outcomes[0], outcomes[1])
	if outcomes[0] != outcomes[1] {
		return tie, sdk.OK, detail
	}
	return outcomes[0], sdk.OK, detail
}

// An outcome is how the response compares with the reference.
type outcome int

const (
	loss outcome = iota - 1
	tie
	win
)

func (o outcome) String() string { return [...]string{"loss", "tie", "win"}[o+1] }

func (o outcome) reward() float64 { return float64(o+1) / 2 }

func (o outcome) parts() map[string]float64 {
	parts := map[string]float64{"win": 0, "tie": 0, "loss": 0}
	parts[o.String()] = 1
	return parts
}

// errUnreadable says that the model's text is not in the form that it was asked for.
var errUnreadable = errors.New("the judge's answer cannot be read")

var (
	_ sdk.Scorer = (*judge)(nil)
	_ sdk.Reward = (*judge)(nil)
)
