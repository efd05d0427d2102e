package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

// moments are ten random moments at which a run is killed, one in each tenth of its events: after the event of that
// number, and after a while.
func moments(seed uint64, events int) (after [10]int, while [10]time.Duration) {
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range after {
		after[i] = (i*events + random.IntN(events)) / len(after)
		while[i] = time.Duration(random.IntN(20)) * time.Millisecond
	}
	return after, while
}

func TestARunThatIsKilledTenTimesEndsInTheSameWeights(t *testing.T) {
	whole, events := undisturbed(t)
	number := map[event]int{}
	for i, e := range events {
		number[e] = i
	}
	for seed := range uint64(3) {
		dir := newFolder(t)
		after, while := moments(seed, len(events))
		killed := 0
		for i := range after {
			p := start(t, dir)
			p.until(func(e event) bool {
				n, known := number[e]
				return known && n >= after[i]
			})
			time.Sleep(while[i])
			if p.kill(t) {
				killed++
			}
		}
		if killed < 7 {
			t.Errorf("seed %d: only %d of the runs were killed before they had ended", seed, killed)
		}
		start(t, dir).finish(t)
		wantSame(t, whole, dir)
	}
}

// kill kills the process; ok is false when it had done all its work before. That it failed ends the test.
func (p *program) kill(t *testing.T) (ok bool) {
	t.Helper()
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	code := p.end(t)
	if code > 0 {
		t.Fatalf("a run that goes on after a kill: exit code %d:\n%s", code, p.err.String())
	}
	return code < 0
}
