package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ranked makes pairs of the answers to many questions, one at a time, and learns from them.
const ranked = `name: mini
device: cpu
datasets:
  texts: {files: [texts.jsonl], format: text, language: en}
  asked: {files: [asked.jsonl], format: messages, language: en}
  pairs: {files: [pairs.jsonl], format: preference, language: en}
models:
  base: {arch: llama, layers: 2, hidden: 32, heads: 2, context: 64, initializer_range: 0.3}
plugins:
  reward: {use: reward-head, models: {reward: reward-model}}
stages:
  words: {kind: tokenizer, from: [texts, asked], vocab: 320}
  reward-model:
    {kind: train, init: base, objective: pairwise, data: pairs, over_length: cut, epochs: 1, batch_size: 2,
     learning_rate: 1e-2}
  answered: {kind: pairs, model: base, from: asked, reward: reward, n: 3, tokens: 24, batch_size: 1}
  dpo:
    {kind: train, init: base, objective: dpo, data: answered, over_length: cut, steps: 30, save_steps: 4, batch_size: 2,
     learning_rate: 1e-3}
`

// askedPrompts is how many questions there are. A swap takes a new process, and they must last so long.
const askedPrompts = 400

func rankedFolder(t *testing.T) string {
	t.Helper()
	dir := newFolder(t)
	var asked strings.Builder
	for i := range askedPrompts {
		fmt.Fprintf(&asked, `{"messages": [{"role": "user", "content": "Question %d?"}]}`+"\n", i)
	}
	for name, text := range map[string]string{"ranked.yaml": ranked, "asked.jsonl": asked.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// judgedFrom is an event of the stage answered, from a prompt on.
func judgedFrom(from int) func(event) bool {
	return func(e event) bool {
		var at int
		n, err := fmt.Sscanf(e.Step, "%d/", &at)
		return e.Msg == "judged" && n == 1 && err == nil && at >= from
	}
}

// beginning is the event that a stage begins.
func beginning(stage string) func(event) bool {
	return func(e event) bool { return e.Msg == "stage begins" && e.Stage == stage }
}

// judgedLines are the lines of the stage answered.
func judgedLines(t *testing.T, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "runs", "mini", "answered", "samples.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// A swapping is a process that swaps the reward of the run in a folder.
type swapping struct {
	*exec.Cmd
	out *bufio.Scanner
	err strings.Builder
}

func swapIn(t *testing.T, dir string, shadow int) *swapping {
	t.Helper()
	s := &swapping{Cmd: exec.Command("carebot", "reward", "swap", "mini", "reward", "with={scale: -1}",
		fmt.Sprintf("--shadow=%d", shadow))}
	s.Dir, s.Env, s.Stderr = dir, os.Environ(), &s.err
	pipe, err := s.StdoutPipe()
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.out = bufio.NewScanner(pipe)
	t.Cleanup(func() {
		_ = s.Process.Kill()
		_ = s.Wait()
	})
	return s
}

// until reads the output up to a line that begins so.
func (s *swapping) until(t *testing.T, start string) string {
	t.Helper()
	for s.out.Scan() {
		if strings.HasPrefix(s.out.Text(), start) {
			return s.out.Text()
		}
	}
	t.Fatalf("the swap ended without a line %q: %v\n%s", start, s.Wait(), s.err.String())
	return ""
}

// TestASwappedRunThatIsKilledGoesOnWithTheRightReward kills a run in the shadow's time, right after the swap, and in
// the stage that learns from what was swapped.
func TestASwappedRunThatIsKilledGoesOnWithTheRightReward(t *testing.T) {
	ours, theirs := rankedFolder(t), rankedFolder(t)
	begin(t, ours, "run", "ranked.yaml").finish(t)
	begin(t, theirs, "run", "ranked.yaml", "plugins.reward.with={scale: -1}").finish(t)
	for _, c := range []struct {
		when, last string
		swapped    bool
		until      func(event) bool
	}{
		{"in the shadow's time", "batch 2/100: same pair 0.0 % of ", false, nil},
		{"after the swap", "stage answered: from record ", true, nil},
		{"after the stage", "stage answered: from record ", true, beginning("dpo")},
	} {
		t.Run(c.when, func(t *testing.T) {
			dir, at, shadow := rankedFolder(t), askedPrompts, 100
			if c.swapped {
				shadow = 3
			}
			p := begin(t, dir, "run", "ranked.yaml")
			if !p.until(judgedFrom(3)) {
				t.Fatalf("the run ended early:\n%s", p.err.String())
			}
			s := swapIn(t, dir, shadow)
			last := s.until(t, c.last)
			if c.until != nil {
				p.until(c.until)
			}
			if !p.kill(t) {
				t.Fatal("the run had ended before it was killed")
			}
			if c.swapped {
				if _, err := fmt.Sscanf(last, c.last+"%d on it judges alone", &at); err != nil {
					t.Fatalf("%q: %v", last, err)
				}
			} else if err := s.Wait(); err == nil || !strings.Contains(s.err.String(), "ended before it answered") {
				t.Errorf("the swap ends with %v: %s", err, s.err.String())
			}
			begin(t, dir, "run", "ranked.yaml").finish(t)
			want := slices.Concat(judgedLines(t, ours)[:at], judgedLines(t, theirs)[at:])
			if diff := cmp.Diff(want, judgedLines(t, dir)); diff != "" {
				t.Errorf("swapped at %d (-want +got):\n%s", at, diff)
			}
			again := begin(t, dir, "run", "ranked.yaml")
			if redone := again.until(beginning("answered")); redone != c.swapped {
				t.Errorf("the next run does the stage again: %v", redone)
			}
			again.finish(t)
			wantSameRun(t, ours, dir)
		})
	}
}

// wantSameRun compares the results of two runs of the recipe ranked.
func wantSameRun(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(results(t, want), results(t, got)); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}
