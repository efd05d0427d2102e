package train

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
)

// What is measured must be what a stage does.
func TestMeasuredStepsAreThoseOfTheStage(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	for _, objective := range objectives {
		s, dir := newStage(objective), t.TempDir()
		s.run(t, dev, dir)
		want := steps(t, dir)[:4]
		var got []Metrics
		empty := t.TempDir()
		err := Measure(t.Context(), s.job(t, dev, empty), 4, func(step int, m Metrics) {
			m.Seconds = 0
			got = append(got, m)
			if step != len(got) {
				t.Errorf("%s: step %d comes as number %d", objective, step, len(got))
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		same := func(a, b Metrics) bool { return a.Step == b.Step && a.Loss == b.Loss && a.GradNorm == b.GradNorm }
		if !slices.EqualFunc(got, want, same) {
			t.Errorf("%s: measured steps %+v, the stage's %+v", objective, got, want)
		}
		if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
			t.Errorf("%s: measuring left %v (%v)", objective, left, err)
		}
	}
}

func TestMeasuringAShortPlanBeginsItAgain(t *testing.T) {
	t.Parallel()
	s := newStage("dpo")
	s.spec.Steps = 3
	var planned []int
	err := Measure(t.Context(), s.job(t, openCPU(t), t.TempDir()), 7, func(_ int, m Metrics) {
		planned = append(planned, m.Step)
	})
	if want := []int{1, 2, 3, 1, 2, 3, 1}; err != nil || !slices.Equal(planned, want) {
		t.Errorf("steps of the plan %v, want %v (%v)", planned, want, err)
	}
}

func TestMeasuringEndsWithItsContext(t *testing.T) {
	t.Parallel()
	stop, done := errors.New("stop"), 0
	ctx, cancel := context.WithCancelCause(t.Context())
	err := Measure(ctx, newStage("next_token").job(t, openCPU(t), t.TempDir()), 7, func(step int, _ Metrics) {
		if done = step; step == 2 {
			cancel(stop)
		}
	})
	if !errors.Is(err, stop) || done != 2 {
		t.Errorf("after %d steps: %v, want the cause after 2", done, err)
	}
}
