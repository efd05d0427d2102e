package main

import (
	"fmt"

	"github.com/carebot-llm/carebot/host/internal/model"
)

// gpuGeneration measures greedy answers of a model of 8B against the time that reading its weights takes.
func gpuGeneration(b *bench) (report, error) {
	dev, err := b.openGPU()
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	form := b.size(llama8B(1))
	cfg := form.llama(form.Length)
	m, err := model.New(dev, cfg, model.HeadLM, 1, model.Frozen(), model.BF16())
	if err != nil {
		return report{}, err
	}
	defer m.Close()
	bound := dev.Peak().Bandwidth / float64(2*(cfg.Parameters()-int64(form.Vocab*form.Width)))
	t := table{{"batch", "tokens/s", "bound, tokens/s", "share", "first goal", "goal"}}
	for _, g := range []struct {
		batch        int
		first, final float64
	}{{1, 0.6, 0.8}, {64, 0.4, 0.6}} {
		s, err := b.generate(m, g.batch)
		if err != nil {
			return report{}, err
		}
		tokens := float64(g.batch)
		t.row(fmt.Sprint(g.batch), s.rate(tokens), number(bound*tokens), percent(1/s.best()/bound), percent(g.first),
			percent(g.final))
	}
	return report{body: fmt.Sprintf("Llama-3-8B's shape, weights and cache in bf16, %d tokens after prompts of 16. The bound "+
		"is reading each weight of a product once for a token of every sequence.\n\n%v", generated, t)}, nil
}
