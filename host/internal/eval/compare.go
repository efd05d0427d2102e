package eval

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// probeTokens is the length of the sequence that Compare puts to both models.
const probeTokens = 64

// Compare returns the largest difference of two models' answers to one sequence that goes through the whole vocabulary: of the
// likelihood of each token, of the outputs of the head, or of the last layer where there is none. It is NaN when an answer is.
func Compare(a, b *Served) (float64, error) {
	in := a.probe()
	first, err := a.forward(func(t *tensor.Tape) *tensor.Tensor { return a.answer(t, in) })
	if err != nil {
		return 0, err
	}
	second, err := b.forward(func(t *tensor.Tape) *tensor.Tensor { return b.answer(t, in) })
	if err != nil {
		return 0, err
	}
	if len(first) != len(second) {
		return 0, fmt.Errorf("compare: %d answers of model %q, %d of model %q", len(first), a.name, len(second), b.name)
	}
	most := 0.0
	for i := range first {
		most = max(most, math.Abs(float64(first[i])-float64(second[i])))
	}
	return most, nil
}

// probe is a sequence of ids evenly spread over the vocabulary.
func (s *Served) probe() model.Input {
	cfg := s.model.Config()
	ids := make([]int32, min(probeTokens, cfg.Context()))
	for i := range ids {
		ids[i] = int32(i * (cfg.VocabSize - 1) / max(1, len(ids)-1))
	}
	return pack([][]int32{ids})
}

func (s *Served) answer(t *tensor.Tape, in model.Input) *tensor.Tensor {
	hidden := s.model.Hidden(t, in)
	switch s.model.Head() {
	case model.HeadClassify:
		return s.model.Outputs(t, hidden, in)
	case model.HeadLM:
		return s.model.TokenNLL(t, hidden, span{in.Tokens, 1}.targets())
	}
	return hidden
}
