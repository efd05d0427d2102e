package run

import (
	"strings"
	"testing"
)

// opened is the process of the run directory of the recipe ranked.
func (p *project) opened(t *testing.T) *Process {
	t.Helper()
	made, err := Open(p.path("ranked"), p.process(t, "ranked.yaml").options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	})
	return made
}

func (p *project) replay(t *testing.T, overrides ...string) (*Process, *Replayed) {
	t.Helper()
	made := p.opened(t)
	entry, err := made.Alternative("reward", overrides)
	if err != nil {
		t.Fatal(err)
	}
	all, err := made.Replay(t.Context(), "reward", entry)
	if err != nil {
		t.Fatal(err)
	}
	return made, all
}

func TestRecordedAnswersAreJudgedAgain(t *testing.T) {
	p := rankedProject(t)
	p.run(t, "ranked.yaml")
	before := p.listing(t)
	made, same := p.replay(t, "with.turn=1")
	_, other := p.replay(t, "with.turn=-1", "with.salt=x")
	if made.device != nil {
		t.Error("a device was opened for a plugin that asks no model")
	}
	for i, want := range []struct {
		stage, file string
		samples     int
	}{{"answered", samplesFile, 72}, {"chosen", "samples-2.jsonl", 48}} {
		s, o := same.Stages[i], other.Stages[i]
		if s.Stage != want.stage || s.File != want.file || s.Samples > want.samples || s.Samples < want.samples-10 {
			t.Errorf("%s, %s of %d answers", s.Stage, s.File, s.Samples)
		}
		if *s.Spearman < 0.999 || *s.Kendall < 0.999 || *s.Flips != 0 || *s.Same != 1 || s.Largest[0].size() != 0 ||
			s.Old.Judged != s.New.Judged {
			t.Errorf("%s with itself: %+v", s.Stage, s.Agreement)
		}
		if *o.Flips == 0 || *o.Same == 1 || len(o.Largest) != mostLargest || o.Largest[0].size() < o.Largest[9].size() {
			t.Errorf("%s with another: %+v, %+v", s.Stage, o.Agreement, o.Largest)
		}
	}
	for path, was := range before {
		if now := p.listing(t)[path]; now != was {
			t.Errorf("a replay touched %s", path)
		}
	}
}

func TestAReplayLoadsTheModelsThatThePluginAsks(t *testing.T) {
	p := rankedProject(t)
	p.put(t, "ranked.yaml", strings.Replace(ranked, "  dpo:\n", `  trained:
    {kind: train, init: base, objective: next_token, data: texts, over_length: split, steps: 2, batch_size: 2,
     learning_rate: 1e-3}
  dpo:
`, 1))
	p.run(t, "ranked.yaml")
	made, all := p.replay(t, "use=test-asker", "models.judge=trained")
	if made.device == nil || all.Stages[0].New.Judged == 0 || !(all.Stages[0].New.Rewards.Mean < 0) {
		t.Errorf("replay %+v", all.Stages)
	}
}

func TestAReplayOfARunThatWasStoppedSaysWhatIsNotDone(t *testing.T) {
	p := rankedProject(t)
	p.stopAfter(t, 8)
	made := p.opened(t)
	_, err := made.Replay(t.Context(), "reward", "use: test-reward")
	if err == nil || !strings.Contains(err.Error(), "no stage that is done was judged by reward (not done: 2)") {
		t.Errorf("error %v", err)
	}
	p.run(t, "ranked.yaml", "stages.answered=null", "stages.dpo=null")
	p.stopAfter(t, 12)
	_, all := p.replay(t, "with.turn=1")
	if len(all.Stages) != 1 || all.Stages[0].Stage != "chosen" || len(all.Passed) != 1 || all.Passed[0] != "answered" {
		t.Errorf("replay %+v", all)
	}
	if err := all.Print(&p.out); err != nil || !strings.Contains(p.out.String(),
		"stage answered is not done: its answers were not judged again\n") {
		t.Errorf("%v in\n%s", err, p.out.String())
	}
}

func TestAReplayThatFailsSaysWhere(t *testing.T) {
	p := rankedProject(t)
	p.run(t, "ranked.yaml")
	made := p.opened(t)
	for entry, want := range map[string]string{
		"use: test-reward\nwith: {fail: true}\nlimits: {faults: 1}": "stage answered, samples.jsonl: " +
			"plugin reward: too many faulty records",
		"use: ./none.wasm": "there is no file",
		"use: test-asker":  "the recipe binds none",
	} {
		if _, err := made.Replay(t.Context(), "reward", entry); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", entry, err, want)
		}
	}
}

func TestADirectoryWithoutALockFileIsNoRun(t *testing.T) {
	p := rankedProject(t)
	if _, err := Open(p.dir, Options{}); err == nil || !strings.Contains(err.Error(), "no run in "+p.dir) {
		t.Errorf("error %v", err)
	}
	p.put(t, lockFile, "lock: [")
	if _, err := Open(p.dir, Options{}); err == nil || !strings.Contains(err.Error(), lockFile) {
		t.Errorf("error %v", err)
	}
}
