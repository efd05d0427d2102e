package run

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// shuffled is the mini recipe with comments and its lines elsewhere: no entry is changed.
func shuffled() string {
	head, stages, _ := strings.Cut(mini["mini.yaml"], "stages:\n")
	first, rest, _ := strings.Cut(stages, "  stable:\n")
	return "# Another comment.\nstages:\n  # stable first\n  stable:\n" + rest + "\n" + first + "\n" + head
}

func TestAStageIsDoneAgainOnlyWhenItsInputsChange(t *testing.T) {
	p := newProject(t, nil)
	all := []string{"words", "clean", "stable", "chosen", "dpo", "exam-before", "release"}
	if begun := p.run(t, "mini.yaml"); !slices.Equal(begun, all) {
		t.Fatalf("the first run did %v", begun)
	}
	var overrides []string
	for _, c := range []struct {
		what   string
		change func()
		again  []string
	}{
		{"nothing", func() {}, nil},
		{"comments and the order of lines", func() { p.put(t, "mini.yaml", shuffled()) }, nil},
		{"a file's time", func() {
			if err := os.Chtimes(filepath.Join(p.dir, "pairs.jsonl"), time.Now(), time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"a reward plugin of an evaluation", func() {
			overrides = append(overrides, "plugins.examiner.with={correct: 1, format: 0}")
		}, []string{"exam-before"}},
		{"a reward plugin of a curate stage", func() { overrides = append(overrides, "plugins.reward.with.weight=3") },
			[]string{"chosen", "dpo", "release"}},
		{"a dataset", func() {
			p.put(t, "pairs.jsonl", mini["pairs.jsonl"]+`{"prompt": "What?", "chosen": "I cannot say.", "rejected": "Yes."}`)
		}, []string{"chosen", "dpo", "release"}},
		{"an entry that nothing uses", func() {
			p.put(t, "mini.yaml", strings.Replace(shuffled(), "plugins:\n", "plugins:\n  unused: {use: test-judge}\n", 1))
		}, nil},
		{"a key of one stage", func() { overrides = append(overrides, "stages.dpo.micro_batch_size=1") },
			[]string{"dpo", "release"}},
		{"what only memory and time depend on", func() {
			overrides = append(overrides, "stages.stable.gradient_checkpointing=true")
		}, nil},
		{"the type of the products", func() { overrides = append(overrides, "stages.dpo.bf16=true") },
			[]string{"dpo", "release"}},
		{"the seed", func() { overrides = append(overrides, "seed=7") }, all},
	} {
		c.change()
		begun := p.run(t, "mini.yaml", overrides...)
		slices.Sort(begun)
		slices.Sort(c.again)
		if !slices.Equal(begun, c.again) {
			t.Errorf("after a change of %s these stages ran: %v, want %v", c.what, begun, c.again)
		}
	}
}

func TestWhatOtherInputsLeftIsGone(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml")
	stray := filepath.Join(p.dir, "runs", "mini", "chosen", "stray")
	if err := os.WriteFile(stray, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.run(t, "mini.yaml")
	if _, err := os.Stat(stray); err != nil {
		t.Error("a run touched a stage that was done")
	}
	p.run(t, "mini.yaml", "plugins.reward.with.weight=3")
	if _, err := os.Stat(stray); err == nil {
		t.Error("what the stage left before is still there")
	}
}

func TestWhatAKilledProcessDidNotFinishIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stage")
	if err := claim(dir, inputs{Key: "a"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"whole", "half.partial"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(dir+".partial", 0o755); err != nil { // of a process that was killed while it cleared the directory
		t.Fatal(err)
	}
	for _, step := range []struct {
		key  string
		want []string
	}{{"a", []string{"inputs.json", "whole"}}, {"b", []string{"inputs.json"}}} {
		if err := claim(dir, inputs{Key: step.key}); err != nil {
			t.Fatal(err)
		}
		if got := names(t, dir); !slices.Equal(got, step.want) {
			t.Errorf("claimed for %s, the directory holds %v, want %v", step.key, got, step.want)
		}
	}
	if got := names(t, filepath.Dir(dir)); !slices.Equal(got, []string{"stage"}) {
		t.Errorf("beside the stage: %v", got)
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
