package main

import (
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// threads measures how much faster a step is on two threads than on one, by wall time of both.
func threads(b *bench) (report, error) {
	t := table{{"model", "1 thread, tokens/s", "2 threads, tokens/s", "speed-up"}}
	var r report
	for _, s := range []shape{large, stepModels[2].shape} {
		one, two, err := b.threadDuel(s)
		if err != nil {
			return report{}, err
		}
		work := float64(s.tokens())
		t.row(s.String(), one.rate(work), two.rate(work), number(two.over(one)))
		if s == large {
			r.figures = []figure{{workThreads, number(two.over(one)), two.over(one) >= 1.85}}
		}
	}
	r.body = "Best (median), f32.\n\n" + t.String()
	return r, nil
}

func (b *bench) threadDuel(s shape) (one, two series, err error) {
	var sides []side
	for _, n := range []int{1, 2} {
		dev, err := cpu.New(n)
		if err != nil {
			return one, two, err
		}
		defer dev.Close()
		t, err := s.trainer(dev)
		if err != nil {
			return one, two, err
		}
		defer t.close()
		sides = append(sides, ours("", t.step))
	}
	return b.duel(sides[0], sides[1], false)
}
