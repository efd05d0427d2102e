package train

import (
	"errors"
	"math"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
)

func TestTheFirstStepOfDPOIsIndifferent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newStage("dpo").run(t, openCPU(t), dir)
	first := steps(t, dir)[0]
	// The model is still the reference, so every margin is 0: -log sigmoid(0).
	if math.Abs(first.Loss-math.Ln2) > 1e-6 {
		t.Errorf("loss %g, want log 2", first.Loss)
	}
}

func TestReferenceValuesDoNotDependOnTheMicroBatches(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	var want []float32
	for _, micro := range []int{1, 3, 100} {
		s := newStage("dpo")
		s.spec.MicroBatchSize = micro
		dir := t.TempDir()
		job := s.job(t, dev, dir)
		if _, err := Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		file := openTensors(t, dir, referenceBase)
		got := values(t, file, file.Names()[0])
		if len(got) != job.Plan.Sequences() {
			t.Fatalf("%d values for %d sequences", len(got), job.Plan.Sequences())
		}
		if want != nil && farthest(got, want) > 1e-5 {
			t.Errorf("micro-batches of %d: a value is off by %g", micro, farthest(got, want))
		}
		want = got
	}
}

// A stage that was killed before its first checkpoint leaves reference values; other start weights must not use them.
func TestReferenceValuesOfOtherInputsAreNotUsed(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	s := newStage("dpo")
	killed := s.snapshot(t, 1)
	s.seed++
	want := s.run(t, dev, t.TempDir())
	job := s.job(t, dev, killed)
	job.Key = "another"
	got, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	a, b := finished(t, got.Dir), finished(t, want.Dir)
	delete(b, stateFile) // has the key
	requireSame(t, "over the leftovers of other inputs", a, b)
}

func TestComputingTheReferenceCanBeInterrupted(t *testing.T) {
	cause, dir := errors.New("stop"), t.TempDir()
	if err := interrupted(t, newStage("dpo").job(t, openCPU(t), dir), 0, cause); !errors.Is(err, cause) {
		t.Errorf("error %v, want the cause", err)
	}
	if _, _, ok, err := checkpoint.Latest(dir); ok || err != nil {
		t.Errorf("there is a checkpoint before there is a reference (%v)", err)
	}
}
