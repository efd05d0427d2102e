package run

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// lockText is the lock file of a run as it is read back.
type lockText struct {
	Lock   locked
	Recipe yaml.Node
}

func (p *project) lockText(t *testing.T, name string) lockText {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "runs", name, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	var l lockText
	if err := yaml.Unmarshal(text, &l); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return l
}

func TestTheLockFileHoldsDigestsAndKeys(t *testing.T) {
	p := newProject(t, nil)
	made := p.process(t, "mini.yaml", "seed=7", "stages.stable.steps=5")
	if err := made.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	l := p.lockText(t, "mini")
	if l.Lock.Binary != "test" {
		t.Errorf("the binary is %q", l.Lock.Binary)
	}
	wantLines(t, "digests", slices.Sorted(maps.Keys(l.Lock.Digests)), "dataset exam", "dataset pairs", "dataset texts",
		"model base", "plugin examiner", "plugin reward", "plugin rules")
	form := regexp.MustCompile("^sha256:[0-9a-f]{64}$")
	seen := map[string]string{}
	for name, digest := range l.Lock.Digests {
		if !form.MatchString(digest) || seen[digest] != "" {
			t.Errorf("the digest of %s is %s, as that of %s", name, digest, seen[digest])
		}
		seen[digest] = name
	}
	if diff := cmp.Diff(made.keys, l.Lock.Stages); diff != "" || len(l.Lock.Stages) != 7 {
		t.Errorf("keys of the stages (-run +file):\n%s", diff)
	}
	var resolved struct {
		Seed   int
		Stages map[string]struct {
			Steps     any
			Scheduler string
		}
	}
	if err := l.Recipe.Decode(&resolved); err != nil {
		t.Fatal(err)
	}
	if stable := resolved.Stages["stable"]; resolved.Seed != 7 || stable.Steps != 5 || stable.Scheduler != "cosine" {
		t.Errorf("overrides and defaults are not resolved: %+v", resolved)
	}
}

func TestTheRecipeOfALockFileIsDoneAlready(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml", "seed=7", "stages.stable.steps=5", "plugins.examiner.with={correct: 1, format: 0}")
	first := p.lockText(t, "mini")
	text, err := yaml.Marshal(&first.Recipe)
	if err != nil {
		t.Fatal(err)
	}
	p.put(t, "again.yaml", string(text))
	if begun := p.run(t, "again.yaml"); begun != nil {
		t.Errorf("these stages ran again: %v", begun)
	}
	second := p.lockText(t, "mini")
	if diff := cmp.Diff(first.Lock, second.Lock); diff != "" {
		t.Errorf("lock (-first +again):\n%s", diff)
	}
}

func TestARunDirectoryHasOneRun(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = lock(dir)
	want := fmt.Sprintf("%s is held by process %d; wait for it, or give another output", dir, os.Getpid())
	if !errors.Is(err, ErrLocked) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("the second lock: %v, want %q", err, want)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := lock(dir)
	if err != nil {
		t.Fatalf("after the first was given back: %v", err)
	}
	if err := again(); err != nil {
		t.Error(err)
	}
}
