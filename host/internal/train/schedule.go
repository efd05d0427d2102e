package train

import (
	"math"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// A schedule is the course of the learning rate over the steps of a stage.
type schedule struct {
	kind                string
	peak, floor         float64
	warmup, fall, steps int // steps in which the rate rises, in which it falls at the end (wsd), and all
}

func newSchedule(spec recipe.Train, steps int) schedule {
	return schedule{
		kind:   spec.Scheduler,
		peak:   spec.LearningRate,
		floor:  spec.LearningRate * spec.MinRatio,
		warmup: share(spec.WarmupRatio, steps),
		fall:   share(spec.DecayRatio, steps),
		steps:  steps,
	}
}

func share(ratio float64, steps int) int { return int(math.Ceil(ratio * float64(steps))) }

// rate is the learning rate of a step counted from 0.
func (s schedule) rate(step int) float64 {
	if step < s.warmup {
		return s.peak * float64(step+1) / float64(s.warmup)
	}
	switch s.kind {
	case "cosine":
		return s.floor + (s.peak-s.floor)*(1+math.Cos(math.Pi*s.progress(step, s.warmup)))/2
	case "linear":
		return s.peak + (s.floor-s.peak)*s.progress(step, s.warmup)
	case "wsd":
		return s.peak + (s.floor-s.peak)*s.progress(step, max(s.warmup, s.steps-s.fall))
	default:
		return s.peak
	}
}

// progress is how far step is from the step `from` (0) to the last (1).
func (s schedule) progress(step, from int) float64 {
	if step <= from {
		return 0
	}
	return float64(step-from) / float64(max(1, s.steps-1-from))
}
