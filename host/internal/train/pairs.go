package train

import (
	"math"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// Pairs lie in a batch as sequences 2i (chosen) and 2i+1 (rejected).

// pairwise is the Bradley-Terry loss of a reward model, -log sigmoid(reward(chosen) - reward(rejected)).
type pairwise struct{ host }

func (*pairwise) weight(b data.Batch) float64 { return float64(pairs(b)) }

func pairs(b data.Batch) int { return (len(b.Offsets) - 1) / 2 }

func (o *pairwise) learn(t *tensor.Tape, m *model.Model, b data.Batch, normaliser float64, l *learned) error {
	out, rewards, err := o.oneOutput(t, m, b)
	if err != nil {
		return err
	}
	seed := o.seedOf(len(rewards))
	for i := range pairs(b) {
		loss, slope := logistic(float64(rewards[2*i]) - float64(rewards[2*i+1]))
		l.add(loss)
		seed[2*i], seed[2*i+1] = float32(slope/normaliser), float32(-slope/normaliser)
	}
	return t.Backward(tensor.Seed{Of: out, Grad: seed})
}

// logistic is -log sigmoid(margin) and its slope; a positive margin is a right decision.
func logistic(margin float64) (measured, float64) {
	m := measured{loss: math.Log1p(math.Exp(-math.Abs(margin))) + max(0, -margin)}
	if margin > 0 {
		m.hits = 1
	}
	return m, -1 / (1 + math.Exp(margin))
}

// dpo is direct preference optimisation with the sigmoid loss (Rafailov et al. 2023, equation 7):
// -log sigmoid(beta * ((pi(chosen) - pi(rejected)) - (ref(chosen) - ref(rejected)))), where pi and ref are sums of the
// log-probabilities of the response tokens, the reference's by number of the sequence in the plan.
type dpo struct {
	host
	beta      float64
	reference []float32
	sums      []float64 // log-probabilities of the sequences of a batch
}

func (*dpo) weight(b data.Batch) float64 { return float64(pairs(b)) }

func (o *dpo) learn(t *tensor.Tape, m *model.Model, b data.Batch, normaliser float64, l *learned) error {
	nll, logp, err := o.logProbs(t, m, b)
	if err != nil {
		return err
	}
	seed := o.seedOf(len(b.Tokens))
	for i := range pairs(b) {
		margin := o.gain(b, logp, 2*i) - o.gain(b, logp, 2*i+1)
		loss, slope := logistic(o.beta * margin)
		l.add(loss)
		// The log-probability is minus the nll, hence the sign.
		fillSeed(seed, b, 2*i, -slope*o.beta/normaliser)
		fillSeed(seed, b, 2*i+1, slope*o.beta/normaliser)
	}
	return t.Backward(tensor.Seed{Of: nll, Grad: seed})
}

// gain is how much likelier sequence s of the batch is than under the reference.
func (o *dpo) gain(b data.Batch, logp []float64, s int) float64 {
	return logp[s] - float64(o.reference[b.Sequences[s]])
}

// fillSeed gives the tokens of sequence s the gradient scale, times their weights.
func fillSeed(seed []float32, b data.Batch, s int, scale float64) {
	for i := b.Offsets[s]; i < b.Offsets[s+1]; i++ {
		seed[i] = float32(scale * float64(b.Weights[i]))
	}
}

// logProbs sums the weighted log-probabilities of the targets of each sequence. The sums are good until the next call.
func (o *dpo) logProbs(t *tensor.Tape, m *model.Model, b data.Batch) (*tensor.Tensor, []float64, error) {
	nll := m.TokenNLL(t, m.Hidden(t, input(b)), b.Targets)
	values, err := o.read(t, nll)
	if err != nil {
		return nil, nil, err
	}
	o.sums = o.sums[:0]
	for s := range len(b.Offsets) - 1 {
		sum := 0.0
		for i := b.Offsets[s]; i < b.Offsets[s+1]; i++ {
			sum -= float64(b.Weights[i]) * float64(values[i])
		}
		o.sums = append(o.sums, sum)
	}
	return nll, o.sums, nil
}
