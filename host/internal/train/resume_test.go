package train

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/durable"
)

func TestAResumedStageEqualsAnUninterruptedOne(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	for _, s := range []stage{newStage("next_token"), newStage("dpo"), newStage("next_token").packed(), newStage("dpo").packed()} {
		whole := t.TempDir()
		want := s.run(t, dev, whole)
		for _, stops := range [][]int{{4}, {0, 1, 0, 5}} {
			what := fmt.Sprintf("%s, stopped after %v steps", s.name(), stops)
			dir := t.TempDir()
			for _, stop := range stops {
				cause := fmt.Errorf("stop after %d", stop)
				if err := interrupted(t, s.job(t, dev, dir), stop, cause); !errors.Is(err, cause) {
					t.Fatalf("%s: error %v, want the cause", what, err)
				}
			}
			got := s.run(t, dev, dir)
			requireSame(t, what, finished(t, got.Dir), finished(t, want.Dir))
			got.Dir, got.PeakBytes = want.Dir, want.PeakBytes
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: result (-uninterrupted +resumed):\n%s", what, diff)
			}
			if diff := cmp.Diff(steps(t, whole), steps(t, dir)); diff != "" {
				t.Errorf("%s: metrics (-uninterrupted +resumed):\n%s", what, diff)
			}
		}
	}
}

func TestAnInterruptedStageSavesTheStepsItDid(t *testing.T) {
	t.Parallel()
	dev, dir := openCPU(t), t.TempDir()
	s := newStage("regression")
	s.spec.SaveSteps = 1000
	done := 0
	for _, n := range []int{0, 4, 0, 3} {
		if err := interrupted(t, s.job(t, dev, dir), n, errors.New("stop")); err == nil {
			t.Fatal("the stage was not interrupted")
		}
		done += n
		if _, step, ok, err := checkpoint.Latest(dir); !ok || step != done || err != nil {
			t.Errorf("after %d steps the newest checkpoint is of step %d (%v)", done, step, err)
		}
	}
}

// snapshot runs the stage and copies its directory when a step is done, as a kill at that moment would leave it.
func (s stage) snapshot(t *testing.T, step int) string {
	t.Helper()
	dir, killed := t.TempDir(), filepath.Join(t.TempDir(), "killed")
	job := s.job(t, openCPU(t), dir)
	job.Progress = at{step: func() {
		if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
			t.Error(err)
		}
	}}
	if _, err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	return killed
}

func TestAKilledStageGoesOnFromItsLastCheckpoint(t *testing.T) {
	t.Parallel()
	dev := openCPU(t)
	s := newStage("next_token")
	whole := t.TempDir()
	want := s.run(t, dev, whole)
	killed := s.snapshot(t, 8)
	appendTo(t, filepath.Join(killed, metricsFile), `{"step":8,"loss":`)
	half := checkpoint.Dir(killed, 9) + durable.Suffix
	if err := os.Mkdir(half, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, stateFile), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	begun := false
	job := s.job(t, dev, killed)
	job.Progress = at{1: func() { t.Error("the stage began anew") }, 7: func() { begun = true }}
	got, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if !begun {
		t.Error("step 7, the first after the checkpoint, was not done again")
	}
	requireSame(t, "killed", finished(t, got.Dir), finished(t, want.Dir))
	if diff := cmp.Diff(steps(t, whole), steps(t, killed)); diff != "" {
		t.Errorf("metrics (-uninterrupted +killed):\n%s", diff)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMetricsHaveEachStepOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newStage("pairwise")
	cause := errors.New("stop")
	for _, stop := range []int{2, 3, 0, 2} {
		if err := interrupted(t, s.job(t, openCPU(t), dir), stop, cause); !errors.Is(err, cause) {
			t.Fatal(err)
		}
	}
	s.run(t, openCPU(t), dir)
	var numbers []int
	for _, m := range steps(t, dir) {
		numbers = append(numbers, m.Step)
		if m.Accuracy == nil {
			t.Errorf("step %d has no accuracy", m.Step)
		}
	}
	if want := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}; !slices.Equal(numbers, want) {
		t.Errorf("steps %v", numbers)
	}
}

func TestAFinishedStageIsNotTrainedAgain(t *testing.T) {
	t.Parallel()
	dev, dir := openCPU(t), t.TempDir()
	s := newStage("regression")
	want := s.run(t, dev, dir)
	job := s.job(t, dev, dir)
	job.Progress = at{12: func() { t.Error("a step was done") }}
	got, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	got.PeakBytes = want.PeakBytes
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-first +again):\n%s", diff)
	}
}

func TestACheckpointOfOtherInputsIsRefused(t *testing.T) {
	t.Parallel()
	dev, dir := openCPU(t), t.TempDir()
	s := newStage("next_token")
	s.run(t, dev, dir)
	otherKey := s.job(t, dev, dir)
	otherKey.Key = "another"
	s.data = s.data[1:]
	for what, job := range map[string]Job{"key": otherKey, "plan": s.job(t, dev, dir)} {
		_, err := Run(t.Context(), job)
		want := "train toy: " + checkpoint.Dir(dir, 12) + " was made from other inputs; remove " + dir
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("another %s: %v", what, err)
		}
	}
}

func TestACheckpointThatIsDamagedIsRefused(t *testing.T) {
	t.Parallel()
	dev, whole := openCPU(t), t.TempDir()
	s := newStage("next_token")
	s.run(t, dev, whole)
	for name, want := range map[string]string{
		"model.safetensors": "resume from", "optimizer.safetensors": "resume from", stateFile: "unexpected end of JSON",
	} {
		dir := filepath.Join(t.TempDir(), "stage")
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(checkpoint.Dir(dir, 12), name), 100); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), s.job(t, dev, dir))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), checkpoint.Dir(dir, 12)) {
			t.Errorf("half of %s: %v", name, err)
		}
	}
}

func TestOnlyTheNewestCheckpointsAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newStage("regression")
	s.spec.SaveSteps = 5
	s.run(t, openCPU(t), dir)
	found, err := filepath.Glob(filepath.Join(dir, "checkpoint-*"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{checkpoint.Dir(dir, 10), checkpoint.Dir(dir, 12)}
	if !slices.Equal(found, want) {
		t.Errorf("checkpoints %v, want %v", found, want)
	}
}
