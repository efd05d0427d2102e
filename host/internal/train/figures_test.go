package train

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
)

// A late device has what is fetched at hand when it is waited for, and not before.
type late struct{ accelerators.Device }

func (l late) FetchF32(dst []float32, src accelerators.Buffer) (wait func() error) {
	kept := make([]float32, len(dst))
	err := l.Device.DownloadF32(kept, src)
	for i := range dst {
		dst[i] = float32(math.NaN())
	}
	return func() error {
		copy(dst, kept)
		return err
	}
}

func TestFiguresThatComeLateAreThoseThatComeAtOnce(t *testing.T) {
	t.Parallel()
	for _, objective := range objectives {
		s, atOnce, later := newStage(objective), t.TempDir(), t.TempDir()
		want := s.run(t, openCPU(t), atOnce)
		cause := errors.New("stop")
		for _, n := range []int{4, 0, 2} {
			if err := interrupted(t, s.job(t, late{openCPU(t)}, later), n, cause); n > 0 && !errors.Is(err, cause) {
				t.Fatal(err)
			}
		}
		got := s.run(t, late{openCPU(t)}, later)
		requireSame(t, objective, finished(t, got.Dir), finished(t, want.Dir))
		if diff := cmp.Diff(steps(t, atOnce), steps(t, later)); diff != "" {
			t.Errorf("%s: metrics (-at once +late):\n%s", objective, diff)
		}
	}
}

// The step after the bad one is queued by the time that it is found out; it must not be kept.
func TestAGradientThatIsFoundNotToBeFiniteLateStopsTheStage(t *testing.T) {
	s := newStage("regression")
	s.data[8].Scores["label"] = float32(math.Inf(1))
	dir := t.TempDir()
	_, err := Run(t.Context(), s.job(t, late{openCPU(t)}, dir))
	if err == nil || !strings.Contains(err.Error(), "the gradient is not finite") {
		t.Fatalf("error %v", err)
	}
	for _, m := range steps(t, dir) {
		if math.IsNaN(m.Loss) || math.IsInf(m.Loss, 0) {
			t.Errorf("the metrics have step %d, of loss %g", m.Step, m.Loss)
		}
	}
}

func TestMeasuringTellsEveryStepOfALateDevice(t *testing.T) {
	s := newStage("next_token")
	var told []int
	err := Measure(t.Context(), s.job(t, late{openCPU(t)}, ""), 2*s.spec.Steps+1, func(step int, _ Metrics) {
		told = append(told, step)
	})
	if err != nil || len(told) != 2*s.spec.Steps+1 {
		t.Errorf("told of steps %v, error %v", told, err)
	}
}
