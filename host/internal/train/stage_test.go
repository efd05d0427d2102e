package train

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

var objectives = []string{"next_token", "regression", "classification", "pairwise", "dpo"}

func openCPU(t testing.TB) accelerators.Device {
	t.Helper()
	dev, _, err := accelerators.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, dev)
}

// threads opens the processor with a number of threads.
func threads(t testing.TB, n int) accelerators.Device {
	t.Helper()
	dev, err := cpu.New(n)
	if err != nil {
		t.Fatal(err)
	}
	return closed(t, dev)
}

// closed closes the device at the end of the test, which must have left no error in its stream.
func closed(t testing.TB, dev accelerators.Device) accelerators.Device {
	t.Cleanup(func() {
		if err := dev.Sync(); err != nil {
			t.Errorf("the device ends with an error: %v", err)
		}
		dev.Close()
	})
	return dev
}

var (
	complaints = []string{"fever", "cough", "headache", "back pain", "a cold", "a rash", "nausea"}
	kinds      = []string{"rest", "surgery", "a vaccine"}
)

// records is a set that each objective can learn: what follows, how good it is, its kind and the better answer hang on
// a few words.
func records(objective string) []*data.Record {
	var all []*data.Record
	for i, complaint := range complaints {
		for k, kind := range kinds {
			text := fmt.Sprintf("With %s the doctor advises %s.", complaint, kind)
			r := &data.Record{Source: "toy", Language: "en", File: "toy.jsonl", Line: len(all) + 1}
			switch objective {
			case "pairwise", "dpo":
				r.Prompt = []sdk.Turn{{Role: sdk.RoleUser, Text: "I have " + complaint}}
				r.Chosen, r.Rejected = "Please take "+kind, "Go away with your "+complaint+"!"
			case "next_token":
				r.Text = text
			default:
				r.Text, r.Scores = text, map[string]float32{"label": float32(k)}
			}
			if objective == "next_token" && i%2 == 1 {
				r.Text = ""
				r.Turns = []sdk.Turn{{Role: sdk.RoleUser, Text: complaint + "?"}, {Role: sdk.RoleAssistant, Text: text}}
			}
			r.Identify()
			all = append(all, r)
		}
	}
	return all
}

var learnTokenizer = sync.OnceValues(func() (*tokenizer.Tokenizer, error) {
	var texts []string
	for _, r := range records("regression") {
		texts = append(texts, r.Text)
	}
	return tokenizer.Train(slices.Values(texts), 300)
})

// A stage makes the jobs of one train stage, each with a model and plan of its own, as separate processes would.
type stage struct {
	arch string
	spec recipe.Train
	seed uint64
	data []*data.Record
}

func newStage(objective string) stage {
	return stage{arch: model.Llama, data: records(objective), seed: 3, spec: recipe.Train{
		Objective: objective, Data: recipe.Mix{Mix: map[string]float64{"toy": 1}}, Label: "label", Learn: "all",
		SequenceLen: 48, OverLength: "cut", Steps: 12, BatchSize: 5, MicroBatchSize: 2,
		LearningRate: 4e-3, Scheduler: "cosine", WarmupRatio: 0.1, MinRatio: 0.1,
		WeightDecay: 0.1, Beta1: 0.9, Beta2: 0.95, Epsilon: 1e-8, MaxGradNorm: 1, Beta: 0.5, SaveSteps: 3, SaveLimit: 2,
	}}
}

func (s stage) head() model.Head { return HeadFor(s.spec.Objective) }

func (s stage) job(t testing.TB, dev accelerators.Device, dir string) Job {
	t.Helper()
	tok, err := learnTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	shape := recipe.Model{Arch: s.arch, Layers: 2, Hidden: 32, Heads: 4, KVHeads: 2, Context: 64, RopeTheta: 1e4}
	if s.spec.Objective == "classification" {
		shape.Outputs = len(kinds)
	}
	cfg := model.ConfigFromRecipe(shape, tok.Size(), model.Special{PAD: 0, BOS: 1, EOS: 2})
	m, err := model.New(dev, cfg, s.head(), s.seed, Adapted(s.spec, s.seed)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	sources := map[string][]*data.Record{"toy": s.data}
	plan, err := data.NewPlan(t.Context(), sources, tok, data.PlanOptions{Train: s.spec, Seed: s.seed, Context: 64})
	if err != nil {
		t.Fatal(err)
	}
	return Job{
		Name: "toy", Spec: s.spec, Device: dev, Model: m, Plan: plan, Dir: dir, Key: "key", Describe: describe,
		Progress: at(nil), Log: slog.New(slog.DiscardHandler),
	}
}

func describe(dir string) error {
	return durable.WriteFile(filepath.Join(dir, "config.json"), []byte("{}"))
}

// run runs the whole stage and returns its result.
func (s stage) run(t testing.TB, dev accelerators.Device, dir string) Result {
	t.Helper()
	res, err := Run(t.Context(), s.job(t, dev, dir))
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// at calls functions when steps are done.
type at map[int]func()

func (a at) Step(step, _ int, _ Metrics) {
	if f := a[step]; f != nil {
		f()
	}
}

// finished reads the files of a checkpoint in which every bit counts.
func finished(t testing.TB, checkpoint string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{"model.safetensors", "optimizer.safetensors", "state.json", "config.json"} {
		raw, err := os.ReadFile(filepath.Join(checkpoint, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(raw)
	}
	return files
}

// requireSame compares checkpoints bit for bit.
func requireSame(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	for name, content := range want {
		if got[name] != content {
			t.Errorf("%s: %s differs", what, name)
		}
	}
}

// steps reads the metrics of a stage without the time they took.
func steps(t testing.TB, dir string) []Metrics {
	t.Helper()
	all, err := ReadMetrics(filepath.Join(dir, metricsFile))
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].Seconds = 0
	}
	return all
}

// interrupted runs the job and ends it when n steps are done; 0 is before the first.
func interrupted(t testing.TB, job Job, n int, cause error) error {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	job.Progress = &countdown{n, func() { cancel(cause) }}
	if n == 0 {
		cancel(cause)
	}
	_, err := Run(ctx, job)
	return err
}

// A countdown calls a function when so many steps are done.
type countdown struct {
	left int
	then func()
}

func (c *countdown) Step(int, int, Metrics) {
	if c.left--; c.left == 0 {
		c.then()
	}
}
