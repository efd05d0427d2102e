package run

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/sdk"
)

// adapted is mini with an adapter in each of its train stages.
func adapted() map[string]string {
	text := strings.Replace(mini["mini.yaml"], "    save_steps: 3\n", "    save_steps: 3\n    lora: {rank: 2, targets: [q_proj, down_proj]}\n", 1)
	text = strings.Replace(text, "    objective: dpo\n", "    objective: dpo\n    lora: {rank: 2, dora: true, base: nf4}\n", 1)
	return map[string]string{"mini.yaml": strings.Replace(text, "epochs: 1", "epochs: 6", 1)}
}

func (p *project) latest(t *testing.T, stage string) string {
	t.Helper()
	dir, _, ok, err := checkpoint.Latest(filepath.Join(p.dir, "runs", "mini", stage))
	if err != nil || !ok {
		t.Fatalf("no checkpoint of %s: %v", stage, err)
	}
	return dir
}

func TestStagesWithAdaptersAreTrainedEvaluatedAndExported(t *testing.T) {
	p := newProject(t, adapted())
	p.run(t, "mini.yaml")
	for _, stage := range []string{"stable", "dpo"} {
		if s := p.summary(t, "mini", stage); !(s.Train.LastLoss < s.Train.FirstLoss) {
			t.Errorf("%s: the loss went from %g to %g", stage, s.Train.FirstLoss, s.Train.LastLoss)
		}
	}
	for _, name := range []string{"config.json", "model.safetensors"} {
		if _, err := os.Stat(filepath.Join(p.latest(t, "dpo"), name)); err == nil {
			t.Errorf("an adapter's checkpoint holds %s", name)
		}
	}
	if s := p.summary(t, "mini", "release"); s.Export.Difference > exportTolerance {
		t.Errorf("the export differs by %g", s.Export.Difference)
	}
}

// An adapter beside the checkpoint of another stage is a model of its own.
func TestAnAdapterDirectoryAnswersAsTheExportedModel(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml", "stages.dpo.lora={rank: 2}")
	var answers [2][]sdk.LogLik
	for i, dir := range []string{p.latest(t, "dpo"), p.summary(t, "mini", "release").Export.Dir} {
		m, err := OpenModel(dir, "cpu")
		if err != nil {
			t.Fatal(err)
		}
		answers[i], err = m.LogLik(context.Background(), []sdk.LogLikRequest{{Context: []sdk.Turn{{Role: sdk.RoleRaw, Text: "The heart"}}, Continuation: " pumps blood"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if answers[0][0] != answers[1][0] {
		t.Errorf("the adapter answers %v, the exported model %v", answers[0], answers[1])
	}
}

func TestAStageWithAnAdapterThatIsStoppedGoesOnToTheSameBits(t *testing.T) {
	whole, stopped := newProject(t, adapted()), newProject(t, adapted())
	whole.run(t, "mini.yaml")
	stopped.interrupt(t)
	stopped.run(t, "mini.yaml")
	for _, stage := range []string{"stable", "dpo"} {
		var weights [2][]byte
		for i, p := range []*project{whole, stopped} {
			var err error
			if weights[i], err = os.ReadFile(filepath.Join(p.latest(t, stage), "adapter_model.safetensors")); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(weights[0], weights[1]) {
			t.Errorf("%s: the adapters differ", stage)
		}
	}
}

func TestAModelWithAnAdapterOfTheRecipe(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml", "stages.dpo.lora={rank: 2}")
	p.put(t, "again.yaml", `name: again
device: cpu
datasets:
  texts: {files: [texts.jsonl], format: text, language: en}
models:
  both: {from: `+p.latest(t, "stable")+`, adapter: `+p.latest(t, "dpo")+`}
stages:
  release: {kind: export, model: both}
`)
	p.run(t, "again.yaml")
	want, err := os.ReadFile(filepath.Join(p.summary(t, "mini", "release").Export.Dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(p.summary(t, "again", "release").Export.Dir, "model.safetensors"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the merged models differ, %v", err)
	}
}

func TestAnAdapterNamesItsBaseFromAnyFolder(t *testing.T) {
	p := newProject(t, nil)
	t.Chdir(p.dir)
	p.run(t, "mini.yaml", "output=runs", "stages.dpo.lora={rank: 2}")
	dir := p.latest(t, "dpo")
	t.Chdir(t.TempDir())
	m, err := OpenModel(dir, "cpu")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}
