package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
)

// training is an event of the stage stable, from a step on.
func training(from int) func(event) bool {
	return func(e event) bool {
		var step int
		n, err := fmt.Sscanf(e.Step, "%d/", &step)
		return e.Msg == "training" && e.Stage == "stable" && n == 1 && err == nil && step >= from
	}
}

func TestASignalSavesAndTheRunGoesOn(t *testing.T) {
	long := []string{"stages.stable.steps=600", "stages.stable.save_steps=1000"}
	whole, _ := undisturbed(t, long...)
	dir := newFolder(t)
	last := 0
	for _, c := range []struct {
		signal syscall.Signal
		from   int
		code   int
		says   string
	}{
		{syscall.SIGINT, 60, 130, "stage stable: train stable: interrupted\n"},
		{syscall.SIGTERM, 240, 143, "stage stable: train stable: terminated\n"},
	} {
		p := start(t, dir, long...)
		if !p.until(training(c.from)) {
			t.Fatalf("the run ended before step %d:\n%s", c.from, p.err.String())
		}
		if err := p.Process.Signal(c.signal); err != nil {
			t.Fatal(err)
		}
		if code := p.end(t); code != c.code || !strings.HasSuffix(p.err.String(), c.says) {
			t.Fatalf("after %v: exit code %d, want %d and %q:\n%s", c.signal, code, c.code, c.says, p.err.String())
		}
		_, step, ok, err := checkpoint.Latest(filepath.Join(dir, "runs", "mini", "stable"))
		if !ok || err != nil || step < c.from {
			t.Fatalf("after %v at step %d or later the newest checkpoint is of step %d (%v)", c.signal, c.from, step, err)
		}
		resumed := fmt.Sprintf(`"msg":"resumed","stage":"stable","step":%d,`, last)
		if last > 0 && !strings.Contains(p.err.String(), resumed) {
			t.Errorf("the run does not say %s:\n%s", resumed, p.err.String())
		}
		last = step
	}
	start(t, dir, long...).finish(t)
	weights := "stable/checkpoint-600/model.safetensors"
	if want, got := results(t, whole), results(t, dir); want[weights] == "" || want[weights] != got[weights] ||
		want["stable/metrics.jsonl"] != got["stable/metrics.jsonl"] {
		t.Error("weights or metrics are not those of a run without signals")
	}
}

func TestASecondRunLeavesTheFirstAlone(t *testing.T) {
	whole, _ := undisturbed(t)
	dir := newFolder(t)
	first := start(t, dir)
	if !first.until(training(1)) {
		t.Fatalf("the run ended early:\n%s", first.err.String())
	}
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped(t, first.Process.Pid)
	before := results(t, dir)
	second := start(t, dir)
	want := fmt.Sprintf("another run works in this directory: %s is held by process %d; wait for it, or give another output\n",
		filepath.Join("runs", "mini"), first.Process.Pid)
	if code := second.end(t); code != exitFailed || second.err.String() != want {
		t.Errorf("exit code %d, want %d and %q:\n%s", code, exitFailed, want, second.err.String())
	}
	if diff := cmp.Diff(before, results(t, dir)); diff != "" {
		t.Errorf("the second run changed files (-before +after):\n%s", diff)
	}
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	first.finish(t)
	wantSame(t, whole, dir)
	start(t, dir).finish(t)
}

// stopped waits until a process does not run any more.
func stopped(t *testing.T, pid int) {
	t.Helper()
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			t.Skipf("whether a process is stopped cannot be told here: %v", err)
		}
		switch _, state, _ := strings.Cut(string(stat), ") "); state[:1] {
		case "T":
			return
		case "Z":
			t.Fatal("the first run ended before it was stopped")
		}
	}
}

func TestASignalEndsAProfileThatLeavesNothing(t *testing.T) {
	dir, _ := undisturbed(t)
	before := results(t, dir)
	p := begin(t, dir, "profile", "mini.yaml", "stable", "--steps=1000000", "--trace=trace.json", "--cpuprofile=samples")
	if !p.until(func(e event) bool { return e.Msg == "step measured" }) {
		t.Fatalf("the profile ended before its first step:\n%s", p.err.String())
	}
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.end(t); code != 130 || !strings.HasSuffix(p.err.String(), "measure stable: interrupted\n") {
		t.Errorf("exit code %d, want 130:\n%s", code, p.err.String())
	}
	if diff := cmp.Diff(before, results(t, dir)); diff != "" {
		t.Errorf("the run (-before +after):\n%s", diff)
	}
	for _, left := range entries(t, dir) {
		if strings.HasPrefix(left, "trace") || strings.HasPrefix(left, "samples") {
			t.Errorf("%s is left", left)
		}
	}
}
