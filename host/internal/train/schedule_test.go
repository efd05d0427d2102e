package train

import (
	"math"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

func TestLearningRateCourses(t *testing.T) {
	const steps = 100
	cases := []struct {
		scheduler string
		step      int
		want      float64
	}{
		{"cosine", 0, 0.1}, {"cosine", 9, 1}, {"cosine", 10, 1}, {"cosine", 99, 0.1},
		{"linear", 4, 0.5}, {"linear", 10, 1}, {"linear", 99, 0.1},
		{"constant", 9, 1}, {"constant", 99, 1},
		{"wsd", 50, 1}, {"wsd", 80, 1}, {"wsd", 99, 0.1},
	}
	for _, c := range cases {
		s := newSchedule(recipe.Train{
			Scheduler: c.scheduler, LearningRate: 1, WarmupRatio: 0.1, DecayRatio: 0.2, MinRatio: 0.1,
		}, steps)
		if got := s.rate(c.step); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s, step %d: rate %g, want %g", c.scheduler, c.step, got, c.want)
		}
	}
}

func TestLearningRateNeverLeavesItsBounds(t *testing.T) {
	for _, scheduler := range []string{"cosine", "linear", "constant", "wsd"} {
		for steps := 1; steps < 40; steps++ {
			s := newSchedule(recipe.Train{
				Scheduler: scheduler, LearningRate: 2, WarmupRatio: 0.3, DecayRatio: 0.5, MinRatio: 0.1,
			}, steps)
			for step := range steps {
				if r := s.rate(step); r <= 0 || r > 2 {
					t.Fatalf("%s, step %d of %d: rate %g", scheduler, step, steps, r)
				}
			}
		}
	}
}
