package train

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// optimizers are all of them, float32 first.
var optimizers = []string{"adamw", "adamw_bf16", "adamw_8bit"}

// with is the stage with another optimizer.
func (s stage) with(optimizer string) stage {
	s.spec.Optimizer = optimizer
	return s
}

// TestCompactMomentsLearnAsWell compares the losses of 120 steps with those of float32 moments: smoothed over ten steps
// they stay within a fiftieth of a nat, and in the end within a hundredth.
func TestCompactMomentsLearnAsWell(t *testing.T) {
	t.Parallel()
	s := newStage("next_token")
	s.spec.Steps, s.spec.SaveSteps = 120, 1000
	adapted := s
	adapted.spec.LoRA = &recipe.LoRA{Rank: 8, Alpha: 16, Targets: recipe.Fields{"all-linear"}, DoRA: true}
	adapted.spec.LearningRate = 2e-2
	for what, s := range map[string]stage{"all weights": s, "DoRA": adapted} {
		dir := t.TempDir()
		s.run(t, openCPU(t), dir)
		want := smoothed(steps(t, dir))
		for _, optimizer := range optimizers[1:] {
			dir := t.TempDir()
			s.with(optimizer).run(t, openCPU(t), dir)
			got := smoothed(steps(t, dir))
			most := 0.0
			for i := range want {
				most = max(most, math.Abs(got[i]-want[i]))
			}
			last := got[len(got)-1] - want[len(want)-1]
			t.Logf("%s, %s: loss %.4f at the end, %+.4f; at most %.4f apart", what, optimizer, got[len(got)-1], last, most)
			if most > 0.02 || math.Abs(last) > 0.01 {
				t.Errorf("%s, %s: the loss ends at %.4f, %+.4f; at most %.4f apart", what, optimizer, got[len(got)-1], last, most)
			}
		}
	}
}

// smoothed are means of the loss over ten steps.
func smoothed(all []Metrics) (means []float64) {
	for i := 10; i <= len(all); i++ {
		sum := 0.0
		for _, m := range all[i-10 : i] {
			sum += m.Loss
		}
		means = append(means, sum/10)
	}
	return means
}

func TestCompactMomentsDependOnNoThreadsAndResume(t *testing.T) {
	t.Parallel()
	for _, optimizer := range optimizers[1:] {
		s := newStage("next_token").with(optimizer)
		want := finished(t, s.run(t, threads(t, 1), t.TempDir()).Dir)
		requireSame(t, optimizer+" on 2 threads", finished(t, s.run(t, threads(t, 2), t.TempDir()).Dir), want)
		dir, stop := t.TempDir(), errors.New("stop")
		if err := interrupted(t, s.job(t, threads(t, 2), dir), 5, stop); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		requireSame(t, optimizer+" after a stop", finished(t, s.run(t, threads(t, 1), dir).Dir), want)
	}
}

func TestMomentsOfAnotherRepresentationAreRefused(t *testing.T) {
	t.Parallel()
	for i, optimizer := range optimizers {
		dir, stop := t.TempDir(), errors.New("stop")
		s := newStage("next_token").with(optimizer)
		if err := interrupted(t, s.job(t, openCPU(t), dir), 5, stop); !errors.Is(err, stop) {
			t.Fatal(err)
		}
		other := optimizers[(i+1)%len(optimizers)]
		_, err := Run(t.Context(), s.with(other).job(t, openCPU(t), dir))
		for _, part := range []string{"has the optimizer states of " + optimizer, "asks for " + other} {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("the error is %v, want %q in it", err, part)
			}
		}
	}
}

func TestCompactMomentsTakeWhatTheySay(t *testing.T) {
	for optimizer, share := range map[string]float64{"adamw": 1, "adamw_bf16": 0.5, "adamw_8bit": 0.254} {
		cfg := tower("llama")
		m, err := Footprint(false, cfg, recipe.Train{Objective: "next_token", BatchSize: 1, Optimizer: optimizer})
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(m.Moments) / float64(m.FloatMoments); math.Abs(got-share) > 0.02 {
			t.Errorf("%s takes %.3f of float32's, want %.3f", optimizer, got, share)
		}
	}
}
