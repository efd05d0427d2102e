package serve

import "math"

// pairs are two texts each, one sequence for a cross-encoder.
type pairs struct{ sequences, types [][]int32 }

// add encodes a pair; param names it to the client.
func (p *pairs) add(m *served, param, first, second string) error {
	ids, types, err := m.tok.Pair(first, second)
	if err != nil {
		return wrong(param, "%s: %v", m.name, err)
	}
	p.sequences, p.types = append(p.sequences, ids), append(p.types, types)
	return nil
}

// match pairs two lists as vLLM does: they are of one length, or the first has one text for all of the second.
func match(m *served, first, second []string) (p pairs, err error) {
	if len(second) == 0 || len(first) != 1 && len(first) != len(second) {
		return p, wrong("text_2", "has %d texts, which %d of text_1 can't be paired with", len(second), len(first))
	}
	for i, text := range second {
		if err := p.add(m, "text_2", first[min(i, len(first)-1)], text); err != nil {
			return p, err
		}
	}
	return p, nil
}

// scorer is the model of a request, which must have a head that scores.
func (s *Server) scorer(name string) (*served, error) {
	m, err := s.named(name)
	if err == nil && !m.scores {
		err = wrong("model", "%s has no head that scores", m.name)
	}
	return m, err
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
