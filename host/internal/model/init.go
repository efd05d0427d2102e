package model

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// generator draws what a part starts from: its own stream of the seed, by its name.
func (p *part) generator(seed uint64) *rand.Rand {
	name := fnv.New64a()
	name.Write([]byte(p.name))
	return rand.New(rand.NewPCG(seed, name.Sum64()))
}

// initialise fills a part with what it holds before training, drawn from a generator of its own.
func (m *Model) initialise(p *part, seed uint64) {
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
	m.dev.UploadF32(p.param.Value.Slice(p.off, len(host)), host)
}
