package confilter

import (
	"context"
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/sdk"
)

// certain is the mean negative log-likelihood, in nats, below which an answer counts as foreseen. It keeps ratios
// finite.
const certain = 1e-4

// A measure is what is known of a dialogue: the ratios of its answers, or why there are none.
type measure struct {
	answers                 int // that count
	mean, lowest, highest   float64
	lowestTurn, highestTurn int    // counted from 0
	unjudged                string // reason, when there is nothing to judge
	fault                   string
}

func (m measure) detail() string {
	return fmt.Sprintf("min %.3f at turn %d, max %.3f at turn %d, answers %d",
		m.lowest, m.lowestTurn, m.highest, m.highestTurn, m.answers)
}

// measure asks the model about all answers at once.
func (f *filter) measure(ctx context.Context, dialogues []sdk.Dialogue) ([]measure, error) {
	var requests []sdk.LogLikRequest
	var turns []int
	ends := make([]int, len(dialogues))
	for i := range dialogues {
		for _, turn := range laterAnswers(dialogues[i].Turns) {
			requests = append(requests, request(dialogues[i].Turns, turn))
			turns = append(turns, turn)
		}
		ends[i] = len(requests)
	}
	answers, err := f.ask(ctx, requests)
	if err != nil {
		return nil, err
	}
	measures := make([]measure, len(dialogues))
	from := 0
	for i, to := range ends {
		measures[i] = f.summarise(turns[from:to], answers[from:to])
		from = to
	}
	return measures, nil
}

func (f *filter) ask(ctx context.Context, requests []sdk.LogLikRequest) ([]sdk.LogLik, error) {
	if len(requests) == 0 {
		return nil, nil
	}
	answers, err := f.model.LogLik(ctx, requests)
	if err != nil {
		return nil, fmt.Errorf("ask model %s: %w", f.model.Info().Name, err)
	}
	if len(answers) != len(requests) {
		return nil, fmt.Errorf("model %s gives %d answers to %d requests", f.model.Info().Name, len(answers), len(requests))
	}
	return answers, nil
}

// laterAnswers returns the turns that answer something, without the first of them. An assistant's turn right after
// another one answers nothing.
func laterAnswers(turns []sdk.Turn) []int {
	var all []int
	asked := false
	for i := range turns {
		if turns[i].Role != sdk.RoleAssistant {
			asked = asked || turns[i].Role == sdk.RoleUser || turns[i].Role == sdk.RoleTool
			continue
		}
		if asked {
			all = append(all, i)
		}
		asked = false
	}
	return all[min(1, len(all)):]
}

// request asks for an answer after all that was said, and after its question alone. The question is what was said since
// the assistant's turn before. Instructions that open the dialogue are no history: they stand before the question too.
func request(turns []sdk.Turn, answer int) sdk.LogLikRequest {
	question := answer
	for question > 0 && turns[question-1].Role != sdk.RoleAssistant {
		question--
	}
	opening := 0
	for turns[opening].Role == sdk.RoleSystem {
		opening++
	}
	alone := turns[question:answer:answer]
	if opening > 0 {
		alone = append(append([]sdk.Turn(nil), turns[:opening]...), alone...)
	}
	return sdk.LogLikRequest{Context: turns[:answer:answer], Context2: alone, Continuation: turns[answer].Text}
}

// summarise makes one measure of the ratios of a dialogue's answers.
func (f *filter) summarise(turns []int, answers []sdk.LogLik) measure {
	if len(answers) == 0 {
		return measure{unjudged: singleTurn}
	}
	m := measure{lowest: math.Inf(1), highest: math.Inf(-1)}
	sum, weight := 0.0, 0.0
	for i, a := range answers {
		w := f.weight(a.Tokens)
		if w == 0 {
			continue
		}
		r := loss(a.LogProb, a.Tokens) / loss(a.LogProb2, a.Tokens)
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return measure{fault: fmt.Sprintf("turn %d: the model answers %v and %v", turns[i], a.LogProb, a.LogProb2)}
		}
		m.answers++
		sum, weight = sum+w*r, weight+w
		if r < m.lowest {
			m.lowest, m.lowestTurn = r, turns[i]
		}
		if r > m.highest {
			m.highest, m.highestTurn = r, turns[i]
		}
	}
	if weight == 0 {
		return measure{unjudged: shortAnswers}
	}
	m.mean = sum / weight
	return m
}

// weight is 1 for an answer that is long enough.
func (f *filter) weight(tokens int) float64 {
	switch {
	case tokens >= f.MinTokens:
		return 1
	case f.Short == "weight":
		return float64(tokens) / float64(f.MinTokens)
	}
	return 0
}

// loss is the mean negative log-likelihood of tokens, in nats.
func loss(logProb float64, tokens int) float64 { return max(-logProb/float64(tokens), certain) }
