package model

import (
	"hash/fnv"
	"math/rand/v2"
)

// initialise fills a part with what it holds before training, drawn from a generator of its own.
func (m *Model) initialise(p *part, seed uint64) {
	host := make([]float32, p.size())
	switch p.start {
	case ones:
		for i := range host {
			host[i] = 1
		}
	case normal:
		name := fnv.New64a()
		name.Write([]byte(p.name))
		random := rand.New(rand.NewPCG(seed, name.Sum64()))
		for i := range host {
			host[i] = float32(m.cfg.InitializerRange * random.NormFloat64())
		}
	}
	if p.padding >= 0 {
		width := p.shape[1]
		clear(host[p.padding*width : (p.padding+1)*width])
	}
	m.dev.UploadF32(p.param.Value.Slice(p.off, len(host)), host)
}
