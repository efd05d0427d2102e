package model

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/carebot-llm/carebot/accelerators"
)

// generator draws what a part starts from: its own stream of the seed, by its name.
func (p *part) generator(seed uint64) *rand.Rand {
	name := fnv.New64a()
	name.Write([]byte(p.name))
	return rand.New(rand.NewPCG(seed, name.Sum64()))
}

// initialiseAll fills all parts.
func (m *Model) initialiseAll(seed uint64) error {
	for _, p := range m.parts {
		if err := m.initialise(p, seed); err != nil {
			return err
		}
	}
	return m.uploaded()
}

// initialise fills a part with what it holds before training, drawn from a generator of its own.
func (m *Model) initialise(p *part, seed uint64) error {
	host := make([]float32, p.size())
	switch p.start {
	case ones:
		for i := range host {
			host[i] = 1
		}
	case normal:
		random := p.generator(seed)
		for i := range host {
			host[i] = float32(m.cfg.InitializerRange * random.NormFloat64())
		}
	case uniform:
		random, bound := p.generator(seed), 1/math.Sqrt(float64(p.shape[1]))
		for i := range host {
			host[i] = float32(bound * (2*random.Float64() - 1))
		}
	}
	if p.padding >= 0 {
		width := p.shape[1]
		clear(host[p.padding*width : (p.padding+1)*width])
	}
	return m.fill(p, func(to accelerators.Buffer) error {
		m.dev.UploadF32(to, host)
		return nil
	})
}
