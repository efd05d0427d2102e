package train

import (
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/data"
)

func TestEveryObjectiveLearnsItsToySet(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	for _, objective := range objectives {
		s := newStage(objective)
		s.spec.Steps, s.spec.SaveSteps, s.spec.LearningRate = 45, 1000, 1e-2
		res := s.run(t, dev, t.TempDir())
		if !(res.LastLoss < res.FirstLoss/2) {
			t.Errorf("%s: the loss went from %g to %g", objective, res.FirstLoss, res.LastLoss)
		}
		if decides(objective) != (res.Accuracy > 0.8) {
			t.Errorf("%s: accuracy %g at the end", objective, res.Accuracy)
		}
	}
}

func TestAssistantTurnsAreLearned(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	s := newStage("next_token")
	s.data = slices.DeleteFunc(s.data, func(r *data.Record) bool { return r.Kind() != data.KindDialogue })
	s.spec.Learn, s.spec.Steps, s.spec.SaveSteps, s.spec.LearningRate = "assistant", 40, 1000, 1e-2
	res := s.run(t, dev, t.TempDir())
	if !(res.LastLoss < res.FirstLoss/2) {
		t.Errorf("the loss went from %g to %g", res.FirstLoss, res.LastLoss)
	}
}

// weights are the model's before and after a few steps in micro-batches of the given size.
func weights(t *testing.T, dev accelerators.Device, s stage, micro int) (before, after []float32) {
	t.Helper()
	s.spec.MicroBatchSize = micro
	job := s.job(t, dev, t.TempDir())
	before, after = make([]float32, job.Model.Params().Count()), make([]float32, job.Model.Params().Count())
	if err := dev.DownloadF32(before, job.Model.Params().Value()); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if err := dev.DownloadF32(after, job.Model.Params().Value()); err != nil {
		t.Fatal(err)
	}
	return before, after
}

// The rows of a step and of the last, shorter step do not come out even.
func TestMicroBatchesLearnWhatTheWholeBatchLearns(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	for _, objective := range objectives {
		s := newStage(objective)
		s.spec.BatchSize, s.spec.Steps, s.spec.Epochs, s.spec.SaveSteps = 5, 0, 1, 1000
		if objective == "next_token" {
			s.spec.SequenceLen = 24 // for more than one step
		}
		// A gradient near 0 must not decide the direction of a full step: Adam's update is then smooth in the gradient.
		s.spec.Epsilon = 1e-3
		before, want := weights(t, dev, s, 5)
		if farthest(before, want) < 1e-3 {
			t.Errorf("%s: nothing was learned", objective)
		}
		for _, micro := range []int{2, 3} {
			if _, got := weights(t, dev, s, micro); !(farthest(got, want) <= 1e-6) {
				t.Errorf("%s, micro-batches of %d: a weight is off by %g", objective, micro, farthest(got, want))
			}
		}
	}
}

func farthest(a, b []float32) float64 {
	most := 0.0
	for i := range a {
		most = max(most, math.Abs(float64(a[i]-b[i])))
	}
	return most
}

func TestTheNumberOfThreadsChangesNoBit(t *testing.T) {
	t.Parallel()
	for _, objective := range []string{"next_token", "dpo"} {
		s := newStage(objective)
		s.spec.Steps = 5
		want := finished(t, s.run(t, threads(t, 1), t.TempDir()).Dir)
		for _, n := range []int{2, 5} {
			requireSame(t, objective, finished(t, s.run(t, threads(t, n), t.TempDir()).Dir), want)
		}
	}
}

func TestAGradientThatIsNotFiniteStopsTheStage(t *testing.T) {
	s := newStage("regression")
	s.spec.SaveSteps = 1
	s.data[8].Scores["label"] = float32(math.Inf(1))
	dir := t.TempDir()
	job := s.job(t, openCPU(t), dir)
	bad := 0
	for !slices.Contains(job.Plan.Batch(bad).Labels, float32(math.Inf(1))) {
		bad++
	}
	if bad == 0 {
		t.Fatal("the record is in the first step; choose another one")
	}
	_, err := Run(t.Context(), job)
	want := "train toy: step " + string(rune('1'+bad)) + ": the gradient is not finite"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %q, want %q", err, want)
	}
	_, last, ok, err := checkpoint.Latest(dir)
	if err != nil || !ok || last != bad {
		t.Errorf("the newest checkpoint is of step %d, want %d, the last good one (%v)", last, bad, err)
	}
}

func TestABatchWithoutLossStopsTheStage(t *testing.T) {
	s := newStage("next_token")
	job := s.job(t, openCPU(t), t.TempDir())
	r := newRun(job)
	r.unit.objective = &nextToken{}
	b := job.Plan.Batch(0)
	clear(b.Weights)
	err := r.accumulate(b, &figures{})
	if err == nil || !strings.Contains(err.Error(), "no token of the batch carries loss") {
		t.Errorf("error %v", err)
	}
}

func TestACheckpointThatCannotBeDescribedStopsTheStage(t *testing.T) {
	s := newStage("regression")
	dir := t.TempDir()
	job := s.job(t, openCPU(t), dir)
	full := errors.New("disk full")
	job.Describe = func(string) error { return full }
	_, err := Run(t.Context(), job)
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "checkpoint of step 3") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(checkpoint.Dir(dir, 3)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("half a checkpoint is there: %v", err)
	}
}
