package main

import (
	"fmt"
	"time"

	"github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/accelerators/meter"
)

// overhead measures what a step spends outside the device's calls: the tape, the arena, the launch of operations.
func overhead(b *bench) (report, error) {
	t := table{{"model", "step, ms", "outside kernels, ms", "share"}}
	worst := 0.0
	for _, s := range []shape{large, stepModels[2].shape} {
		step, outside, err := b.outside(s)
		if err != nil {
			return report{}, err
		}
		t.row(s.String(), number(1e3*step), number(1e3*outside), fmt.Sprintf("%.2f %%", 100*outside/step))
		worst = max(worst, outside/step)
	}
	return report{"2 threads, f32, the step with the least time outside.\n\n" + t.String(),
		[]figure{{workOverhead, fmt.Sprintf("%.2f %%", 100*worst), worst <= 0.03}}}, nil
}

// outside returns the seconds of a step and those of them outside the device, of the round with the least of these.
func (b *bench) outside(s shape) (step, outside float64, err error) {
	dev, err := cpu.New(2)
	if err != nil {
		return 0, 0, err
	}
	defer dev.Close()
	watch := meter.New(dev)
	t, err := s.trainer(watch)
	if err != nil {
		return 0, 0, err
	}
	defer t.close()
	if err := t.step(); err != nil {
		return 0, 0, err
	}
	for range max(2, b.rounds/2) {
		watch.Reset()
		x, err := take(ours("", t.step), 1, false)
		if err != nil {
			return 0, 0, err
		}
		b.tally.add(series{samples: []sample{x}})
		inside := time.Duration(0)
		for _, e := range watch.Events() {
			inside += e.Duration
		}
		if rest := x.seconds - inside.Seconds(); step == 0 || rest < outside {
			step, outside = x.seconds, rest
		}
	}
	return step, outside, nil
}
