package main

import (
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

var gpt2Shapes = []shape{
	{Layers: 12, Width: 768, Heads: 12, Inner: 3072, Vocab: 50257, Length: 64, Batch: 4}, // llm.c's own setting
	{Layers: 12, Width: 768, Heads: 12, Inner: 3072, Vocab: 32000, Length: 512, Batch: 4},
}

// gpt2 compares whole steps of GPT-2 (LayerNorm, biases, GELU, learned positions, tied head) with llm.c's CPU trainer.
func gpt2(b *bench) (report, error) {
	t := table{{"model", "ours f32, tokens/s", "ours bf16, tokens/s", "llm.c, tokens/s", "f32 / llm.c"}}
	var ratios []float64
	for _, s := range gpt2Shapes {
		all, err := b.gpt2Contest(s)
		if err != nil {
			return report{}, err
		}
		work := float64(s.tokens())
		cells := []string{s.String(), all[0].rate(work), all[1].rate(work), "not measured: set LLMC", ""}
		if len(all) > 2 {
			cells[3], cells[4] = all[2].rate(work), number(all[0].over(all[2]))
			ratios = append(ratios, all[0].over(all[2]))
		}
		t.row(cells...)
	}
	r := report{body: "Best (median), 2 threads. Ours has the exact GELU, llm.c its tanh form.\n\n" + t.String()}
	if len(ratios) > 0 {
		_, least := geometric(ratios)
		r.figures = []figure{{workGPT2, "minimum " + number(least), least >= 5}}
	}
	return r, nil
}

func (b *bench) gpt2Contest(s shape) ([]series, error) {
	dev, err := cpu.New(2)
	if err != nil {
		return nil, err
	}
	defer dev.Close()
	t, err := s.gpt2(dev)
	if err != nil {
		return nil, err
	}
	defer t.close()
	sides := t.sides()
	if b.llmc != "" {
		p, err := b.llmcPeer(s)
		if err != nil {
			return nil, err
		}
		defer b.end(p)
		sides = append(sides, p.side("llm.c", request{Op: "step"}))
	}
	return b.hold(contest{sides: sides})
}
