package train

import (
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// nextToken is the language-modelling loss: the negative log-likelihood of each target token times its weight.
type nextToken struct{ host }

func (*nextToken) weight(b data.Batch) float64 {
	sum := 0.0
	for _, w := range b.Weights {
		sum += float64(w)
	}
	return sum
}

// The gradient of each loss is known before the losses are, so the head learns in one go.
func (o *nextToken) learn(t *tensor.Tape, m *model.Model, b data.Batch, normaliser float64, l *learned) error {
	gradient := o.seedOf(len(b.Weights))
	for i, w := range b.Weights {
		gradient[i] = float32(float64(w) / normaliser)
	}
	losses, wait, err := t.Fetch(l.losses, m.LearnTokens(t, m.Hidden(t, input(b)), b.Targets, gradient))
	if err != nil {
		return err
	}
	l.expect(losses, b.Weights, wait)
	return t.Backward()
}

// input is the batch as the model reads it.
func input(b data.Batch) model.Input {
	return model.Input{Tokens: b.Tokens, Positions: b.Positions, Offsets: b.Offsets}
}
