package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// A program is a carebot process that runs the recipe mini in a folder. Its log is read as it is written.
type program struct {
	*exec.Cmd
	log *bufio.Scanner
	err bytes.Buffer // all of stderr that was read
}

// start begins a run in dir, which holds the files of mini.
func start(t *testing.T, dir string, overrides ...string) *program {
	t.Helper()
	return begin(t, dir, append([]string{"run", "mini.yaml"}, overrides...)...)
}

// begin begins a command line in dir.
func begin(t *testing.T, dir string, args ...string) *program {
	t.Helper()
	p := &program{Cmd: exec.Command("carebot", append(args, "--log-format=json")...)}
	p.Dir = dir
	p.Env = append(os.Environ(), "CAREBOT_CACHE="+filepath.Join(dir, "cache"))
	pipe, err := p.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.log = bufio.NewScanner(pipe)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // of a test that failed; otherwise both say that the process has ended
		_ = p.Process.Kill()
		_ = p.Wait()
	})
	return p
}

// An event is a line of the log without what differs from run to run.
type event struct{ Msg, Stage, Step string }

func (p *program) next() (e event, ok bool) {
	if !p.log.Scan() {
		return e, false
	}
	p.err.Write(append(p.log.Bytes(), '\n'))
	var line struct {
		Msg, Stage string
		Step       any
	}
	if err := json.Unmarshal(p.log.Bytes(), &line); err != nil {
		return e, true // the error that ends the process is no line of the log
	}
	return event{line.Msg, line.Stage, fmt.Sprint(line.Step)}, true
}

// until reads the log up to an event that will do; ok is false when the process ended before.
func (p *program) until(will func(event) bool) (ok bool) {
	for {
		if e, ok := p.next(); !ok || will(e) {
			return ok
		}
	}
}

// end waits for the process and returns its exit code, -1 after a signal that it did not catch.
func (p *program) end(t *testing.T) int {
	t.Helper()
	p.until(func(event) bool { return false })
	if err := p.Wait(); p.ProcessState == nil {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// finish waits for the end of a run that must succeed.
func (p *program) finish(t *testing.T) {
	t.Helper()
	if code := p.end(t); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, p.err.String())
	}
}

func newFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range mini {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// undisturbed does a whole run in a new folder.
func undisturbed(t *testing.T, overrides ...string) (dir string, events []event) {
	t.Helper()
	dir = newFolder(t)
	p := start(t, dir, overrides...)
	p.until(func(e event) bool {
		events = append(events, e)
		return false
	})
	p.finish(t)
	return dir, events
}

// results are the contents of all files of the run in a folder, without times and what depends on how often it was stopped.
func results(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	root := filepath.Join(dir, "runs", "mini")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err == nil && !strings.HasPrefix(e.Name(), "events.out.") && name != ".lock" && name != "report.md" {
			found[name] = content(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// content is a digest of a file, or the text of one whose times were taken out.
func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if name := filepath.Base(path); name != "stage.json" && name != "metrics.jsonl" {
		return fmt.Sprintf("%x", sha256.Sum256(text))
	}
	var out bytes.Buffer
	for dec := json.NewDecoder(bytes.NewReader(text)); dec.More(); {
		var line map[string]any
		if err := dec.Decode(&line); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		delete(line, "seconds")
		if train, ok := line["train"].(map[string]any); ok {
			delete(train, "peak_bytes")
		}
		if err := json.NewEncoder(&out).Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// wantSame compares a run's results, metrics and weights among them, with those of one that nothing disturbed.
func wantSame(t *testing.T, undisturbed, disturbed string) {
	t.Helper()
	want, got := results(t, undisturbed), results(t, disturbed)
	for name := range got {
		if strings.Contains(name, durable.Suffix) {
			t.Errorf("%s is left", name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-undisturbed +disturbed):\n%s", diff)
	}
	for _, dir := range []string{"stable/checkpoint-30", "sft/checkpoint-4", "dpo/checkpoint-6", "release/model"} {
		if want[dir+"/model.safetensors"] == "" {
			t.Errorf("the run has no model in %s", dir)
		}
	}
}

// mini is a whole process that takes less than a second: from a tokenizer to an exported model.
var mini = map[string]string{
	"mini.yaml": `name: mini
device: cpu
datasets:
  texts: {files: [texts.jsonl], format: text, language: en}
  talks: {files: [talks.jsonl], format: messages, language: en}
  pairs: {files: [pairs.jsonl], format: preference, language: en}
models:
  base: {arch: llama, layers: 2, hidden: 32, heads: 2, context: 64}
plugins:
  rules: {use: quality-rules}
stages:
  words: {kind: tokenizer, from: [texts, talks], vocab: 320}
  clean: {kind: curate, from: texts, steps: [dedup: {}, score: rules, keep: rules.words >= 3]}
  stable:
    {kind: train, init: base, objective: next_token, data: clean, over_length: split, steps: 30, save_steps: 4,
     batch_size: 2, learning_rate: 1e-2}
  sft:
    {kind: train, init: stable, objective: next_token, learn: assistant, data: talks, over_length: cut, epochs: 4,
     save_steps: 1, save_total_limit: 3, batch_size: 2, learning_rate: 1e-3}
  dpo:
    {kind: train, init: sft, objective: dpo, data: pairs, over_length: cut, epochs: 4, save_steps: 3, batch_size: 2,
     learning_rate: 1e-3}
  release: {kind: export, model: dpo, shard_size: 1GB}
`,
	"texts.jsonl": `{"text": "The heart pumps blood through the body all day long."}
{"text": "The lungs take oxygen from the air that we breathe."}
{"text": "The kidneys clean the blood and make urine from it."}
{"text": "The liver stores sugar and breaks down many poisons."}
{"text": "The heart pumps blood through the body all day long."}
{"text": "The stomach mixes what we eat with acid and moves it on."}
{"text": "Short."}
`,
	"talks.jsonl": `{"messages": [{"role": "user", "content": "What pumps blood?"}, {"role": "assistant", "content": "The heart."}]}
{"messages": [{"role": "user", "content": "What cleans blood?"}, {"role": "assistant", "content": "The kidneys."}]}
{"messages": [{"role": "user", "content": "What stores sugar?"}, {"role": "assistant", "content": "The liver."}]}
`,
	"pairs.jsonl": `{"prompt": "What pumps blood?", "chosen": "The heart.", "rejected": "No idea."}
{"prompt": "What cleans blood?", "chosen": "The kidneys.", "rejected": "Hm."}
{"prompt": "What stores sugar?", "chosen": "The liver.", "rejected": "The moon, I think."}
`,
}
