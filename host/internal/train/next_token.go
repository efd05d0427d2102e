package train

import (
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// nextToken is the language-modelling loss: the negative log-likelihood of each target token times its weight.
type nextToken struct{}

func (nextToken) weight(b data.Batch) float64 {
	sum := 0.0
	for _, w := range b.Weights {
		sum += float64(w)
	}
	return sum
}

func (nextToken) learn(t *tensor.Tape, m *model.Model, b data.Batch, normaliser float64) (measured, error) {
	nll := m.TokenNLL(t, m.Hidden(t, input(b)), b.Targets)
	losses, err := t.Download(nll)
	if err != nil {
		return measured{}, err
	}
	seed := make([]float32, len(losses))
	sum := 0.0
	for i, w := range b.Weights {
		sum += float64(w) * float64(losses[i])
		seed[i] = float32(float64(w) / normaliser)
	}
	return measured{loss: sum}, t.Backward(tensor.Seed{Of: nll, Grad: seed})
}

// input is the batch as the model reads it.
func input(b data.Batch) model.Input {
	return model.Input{Tokens: b.Tokens, Positions: b.Positions, Offsets: b.Offsets}
}
