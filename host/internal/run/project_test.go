package run

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	_ "github.com/carebot-llm/carebot/plugins/exam-reward"
)

func TestMain(m *testing.M) {
	plugin.Reexec()
	os.Exit(m.Run())
}

// A project is a folder with a recipe and its data. Its runs are in the folder runs beside them.
type project struct {
	dir string
	out bytes.Buffer
	log bytes.Buffer // JSON lines
	on  func(message map[string]any)
}

// newProject writes the files of mini, and these besides or instead.
func newProject(t *testing.T, files map[string]string) *project {
	t.Helper()
	p := &project{dir: t.TempDir()}
	for name, text := range mini {
		p.put(t, name, text)
	}
	for name, text := range files {
		p.put(t, name, text)
	}
	return p
}

func (p *project) put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// process opens a recipe of the project for one use.
func (p *project) process(t *testing.T, file string, overrides ...string) *Process {
	t.Helper()
	r, err := recipe.Load(filepath.Join(p.dir, file), append([]string{"output=" + filepath.Join(p.dir, "runs")}, overrides...))
	if err != nil {
		t.Fatal(err)
	}
	p.out.Reset()
	p.log.Reset()
	made := New(r, Options{Out: &p.out, Log: slog.New(slog.NewJSONHandler(p, nil)), Samples: os.DirFS(p.dir), Version: "test"})
	t.Cleanup(func() {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	})
	return made
}

// Write takes a line of the log.
func (p *project) Write(line []byte) (int, error) {
	var message map[string]any
	if err := json.Unmarshal(line, &message); err != nil {
		return 0, err
	}
	if p.on != nil {
		p.on(message)
	}
	return p.log.Write(line)
}

// run runs a recipe and returns the stages that were not done before, in their order.
func (p *project) run(t *testing.T, file string, overrides ...string) (begun []string) {
	t.Helper()
	if err := p.process(t, file, overrides...).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p.begun(t)
}

func (p *project) begun(t *testing.T) (stages []string) {
	t.Helper()
	for lines := bufio.NewScanner(&p.log); lines.Scan(); {
		var m struct{ Msg, Stage string }
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		if m.Msg == "stage begins" {
			stages = append(stages, m.Stage)
		}
	}
	return stages
}

// interrupt runs mini until its train stage stable has done a step, and then cancels it.
func (p *project) interrupt(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	p.on = func(message map[string]any) {
		if message["msg"] == "training" {
			cancel(stop)
		}
	}
	if err := p.process(t, "mini.yaml").Run(ctx); !errors.Is(err, stop) {
		t.Fatalf("the run ended with %v", err)
	}
	p.on = nil
}

// listing is every file of the project with its size and time.
func (p *project) listing(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(p.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			found[path] = info.ModTime().String() + info.Mode().String()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func (p *project) summary(t *testing.T, name, stage string) *Summary {
	t.Helper()
	s, err := readSummary(filepath.Join(p.dir, "runs", name, stage))
	if err != nil || s == nil {
		t.Fatalf("summary of stage %s: %v, %v", stage, s, err)
	}
	return s
}

// jsonLines reads a file of JSON lines.
func jsonLines[T any](t *testing.T, path string) (all []T) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(bytes.NewReader(text)); dec.More(); {
		var v T
		if err := dec.Decode(&v); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, v)
	}
	return all
}

// mini is a whole process that takes a fraction of a second.
var mini = map[string]string{
	"mini.yaml": `name: mini
device: cpu
datasets:
  texts: {files: [texts.jsonl], format: text, language: en}
  pairs: {files: [pairs.jsonl], format: preference, language: en}
  exam: {files: [exam.jsonl], format: choice, language: en}
models:
  base: {arch: llama, layers: 1, hidden: 16, heads: 2, context: 64}
plugins:
  rules: {use: test-judge}
  reward: {use: test-judge, with: {weight: 2}}
  examiner: {use: exam-reward}
stages:
  words: {kind: tokenizer, from: [texts], vocab: 300}
  clean: {kind: curate, from: texts, steps: [dedup: {}, score: rules, keep: rules.length >= 10]}
  stable:
    kind: train
    init: base
    objective: next_token
    data: clean
    over_length: split
    steps: 8
    save_steps: 3
    batch_size: 2
    learning_rate: 1e-2
  chosen: {kind: curate, from: pairs, steps: [reward: reward, keep: reward.margin > 0]}
  dpo:
    kind: train
    init: stable
    objective: dpo
    data: chosen
    over_length: cut
    epochs: 1
    batch_size: 2
    learning_rate: 1e-3
  exam-before: {kind: evaluate, models: [stable], perplexity: [texts], benchmarks: [exam], rewards: [examiner]}
  release: {kind: export, model: dpo}
`,
	"texts.jsonl": `{"text": "The heart pumps blood through the body all day long."}
{"text": "The lungs take oxygen from the air that we breathe."}
{"text": "The kidneys clean the blood and make urine from it."}
{"text": "The liver stores sugar and breaks down many poisons."}
{"text": "The heart pumps blood through the body all day long."}
{"text": "Short."}
`,
	"pairs.jsonl": `{"prompt": "What pumps blood?", "chosen": "It is the heart.", "rejected": "No idea."}
{"prompt": "What cleans blood?", "chosen": "The two kidneys do.", "rejected": "Hm."}
{"prompt": "What takes oxygen?", "chosen": "Air.", "rejected": "It is the moon, I think."}
`,
	"exam.jsonl": `{"question": "What pumps blood?", "options": ["the heart", "the liver"], "answer": 0}
{"question": "What cleans the blood?", "options": ["the lungs", "the kidneys"], "answer": 1}
`,
}
