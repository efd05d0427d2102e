package train

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
)

func TestMetricsAreReadBack(t *testing.T) {
	right := 0.5
	want := []Metrics{
		{Step: 1, Loss: 2.5, LearningRate: 1e-3, GradNorm: 0.7, Tokens: 100, Seconds: 0.1},
		{Step: 2, Loss: 1.25, Accuracy: &right, LearningRate: 2e-3, GradNorm: 0.6, Tokens: 200, Seconds: 0.2},
		{Step: 3, Loss: 1, LearningRate: 2e-3, GradNorm: 0.5, Tokens: 300, Seconds: 0.3},
	}
	dir := t.TempDir()
	log, err := openMetrics(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range want {
		if err := log.write(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, metricsFile)
	for name, c := range map[string]struct {
		after string
		from  int
		want  []Metrics
	}{
		"all":                  {"", 3, want},
		"an unfinished line":   {`{"step":4,"lo`, 3, want},
		"from an earlier step": {"", 1, want[:1]},
	} {
		appendTo(t, path, c.after)
		got, err := ReadMetrics(path)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-written +read):\n%s", name, err, diff)
		}
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		log, err := openMetrics(copied, c.from)
		if err != nil {
			t.Fatal(err)
		}
		if err := log.close(); err != nil {
			t.Fatal(err)
		}
		kept, err := ReadMetrics(filepath.Join(copied, metricsFile))
		if diff := cmp.Diff(c.want, kept); err != nil || diff != "" {
			t.Errorf("%s, reopened: %v (-want +kept):\n%s", name, err, diff)
		}
	}
}

func TestAStageWithoutMetricsHasNone(t *testing.T) {
	if all, err := ReadMetrics(filepath.Join(t.TempDir(), metricsFile)); len(all) != 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
}

func TestTheResultSumsUpTheMetrics(t *testing.T) {
	t.Parallel()
	s := newStage("classification")
	s.spec.Steps, s.spec.SaveSteps = 25, 1000
	dir := t.TempDir()
	job := s.job(t, openCPU(t), dir)
	got, err := Run(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	all := steps(t, dir)
	want := Result{
		Dir: checkpoint.Dir(dir, 25), Steps: 25, Tokens: job.Plan.Report().Seen, FirstLoss: all[0].Loss,
		LastLoss: (all[23].Loss + all[24].Loss) / 2, Accuracy: (*all[23].Accuracy + *all[24].Accuracy) / 2,
		PeakBytes: got.PeakBytes, Optimizer: "adamw", Moments: got.Moments, FloatMoments: got.FloatMoments,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-metrics +result):\n%s", diff)
	}
	if got.PeakBytes <= 0 {
		t.Errorf("%d bytes at the peak", got.PeakBytes)
	}
	for i, m := range all {
		if want := newSchedule(s.spec, 25).rate(i); m.Step != i+1 || m.LearningRate != want {
			t.Errorf("step %d has the rate %g of step %d, want %g", m.Step, m.LearningRate, i+1, want)
		}
	}
}
