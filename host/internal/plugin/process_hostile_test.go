package plugin

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// TestHostileProcess is what a process may do to its host and what comes of it.
func TestHostileProcess(t *testing.T) {
	t.Run("in a call", hostileCalls)
	t.Run("in its answer", hostileAnswers)
	t.Run("hung on start", hungOnStart)
	t.Run("children", hostileChildren)
	t.Run("children that fork", hostileForks)
	t.Run("babble", babble)
	t.Run("dies again and again", diesAgainAndAgain)
	t.Run("changed file", changedFile)
}

const (
	shortDeadline = 300 * time.Millisecond
	longDeadline  = 20 * time.Second
)

// hostileCalls are misdeeds in the middle of good records.
func hostileCalls(t *testing.T) {
	for _, c := range []struct {
		do, want string
		deadline time.Duration
	}{
		{"spin", "took longer than the deadline of 300ms", shortDeadline},
		{"stop", "took longer than the deadline of 300ms", shortDeadline},
		{"sleep 1h", "took longer than the deadline of 300ms", shortDeadline},
		{"close", "the process cannot be reached", longDeadline},
		{"exit", "the process ended with exit status 3", longDeadline},
		{"signal", "the process ended with signal: killed", longDeadline},
		{"hoard", "the process ended with exit status 2: (fatal error|runtime/cgo): ", longDeadline},
		{"nothing that it knows", "panic: runtime error: ", longDeadline},
	} {
		t.Run(c.do, func(t *testing.T) { hostileCall(t, c.do, c.want, c.deadline) })
	}
}

func hostileCall(t *testing.T, do, want string, deadline time.Duration) {
	s := spec(executableOf(t, "prober"))
	s.Workers, s.Plugin.Limits.Deadline = 1, recipe.Duration(deadline)
	p := opened(t, s)
	first := group(p)
	began := time.Now()
	ratings, err := p.Score(t.Context(), documents("env A", do, "sleep 1ms", "env B"))
	if err != nil {
		t.Fatal(err)
	}
	if got := statuses(ratings); got != "ofoo" || !regexp.MustCompile(want).MatchString(ratings[1].Detail) {
		t.Errorf("statuses %s, %q, want %q in it", got, ratings[1].Detail, want)
	}
	// Four calls end with the misdeed: of all records, of two, of one, and of one again when it may have been chance.
	if most := 4 * (deadline + 4*time.Second); time.Since(began) > most {
		t.Errorf("it took %v", time.Since(began))
	}
	if do != "nothing that it knows" && !goneSoon(first) {
		t.Error("the process is left")
	}
}

// group returns the process group of the instance that waits for work.
func group(p *Plugin) int { return p.pool.idle[0].(*process).runner.cmd.Process.Pid }

func hostileAnswers(t *testing.T) {
	for mode, want := range map[string]string{
		"shared":   "malformed answer: 2147483648 bytes do not lie in the shared memory",
		"unshared": "bytes do not lie in the shared memory",
	} {
		t.Run(mode, func(t *testing.T) {
			s := spec(executableOf(t, "liar"))
			s.Plugin.Args = []string{mode}
			ratings, err := opened(t, s).Score(t.Context(), documents("text"))
			if err != nil || ratings[0].Status != sdk.Fault || !strings.Contains(ratings[0].Detail, want) {
				t.Errorf("%v, %v, want a fault with %q", ratings, err, want)
			}
		})
	}
	t.Run("shorter shared memory", func(t *testing.T) {
		p := prober{opened(t, spec(executableOf(t, "prober"))), nil}
		p.wants(t, "truncate", "error: operation not permitted")
		p.wants(t, "env "+strings.Repeat("x", sharedFrom), "")
	})
}

func hungOnStart(t *testing.T) {
	c := newCommand(executableOf(t, "liar"), t.TempDir(), recipe.Plugin{Args: []string{"silent"}})
	c.sockets, c.timeout, c.log = t.TempDir(), shortDeadline, newGuestLog(new(logged).logger())
	began := time.Now()
	_, err := launch(t.Context(), c)
	wantError(t, err, "not started within 300ms")
	if took := time.Since(began); took > shortDeadline+time.Second {
		t.Errorf("it took %v", took)
	}
}

// hostileChildren leave the group and the session. Only a process namespace holds them.
func hostileChildren(t *testing.T) {
	p := probing(t, recipe.Grant{})
	p.wants(t, "orphan", "left")
	mark := fmt.Sprintf("%d", 3600+os.Getpid())
	p.wants(t, "child setsid sleep "+mark+" >/dev/null 2>&1 & sleep 0.1; echo left", "left")
	if running(t, mark) == 0 {
		t.Fatal("there is no orphan")
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if running(t, mark) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a child that has left the session is left")
}

// running counts the processes that are called with an argument.
func running(t *testing.T, argument string) (n int) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		text, _ := os.ReadFile(line)
		if slices.Contains(strings.Split(string(text), "\x00"), argument) {
			n++
		}
	}
	return n
}

// hostileForks fork until the kernel refuses.
func hostileForks(t *testing.T) {
	p := probing(t, recipe.Grant{})
	const bomb = "child (i=0; while [ $i -lt 1100 ]; do sleep 60 >/dev/null 2>&1 & i=$((i+1)); done) 2>&1 || true"
	said := p.try(t, bomb)
	if said == "" && os.Geteuid() == 0 {
		t.Skip("NOT TESTED: before Linux 6.14 the processes of root are not limited")
	}
	if !strings.Contains(said, "annot fork") {
		t.Errorf("it says %q", said)
	}
}

// babble is read, logged up to the quota, and holds nobody up.
func babble(t *testing.T) {
	log := new(logged)
	s := spec(executableOf(t, "prober"))
	s.Log = log.logger()
	p := prober{opened(t, s), log}
	for range 6 {
		p.wants(t, "babble", "babbled")
	}
	wantError(t, errorText(log.String()), "babble babble", "has used up its log quota")
}

// diesAgainAndAgain is started again after waits that grow, until a process has answered.
func diesAgainAndAgain(t *testing.T) {
	e := opened(t, spec(executableOf(t, "prober"))).pool.engine.(*executable)
	wait := func() time.Duration {
		began := time.Now()
		if err := e.backOff(t.Context()); err != nil {
			t.Fatal(err)
		}
		return time.Since(began)
	}
	for _, least := range []time.Duration{minWait, 2 * minWait, 4 * minWait} {
		e.ended(nil, false)
		if took := wait(); took < least || took > least+time.Second {
			t.Errorf("it waits %v, want %v", took, least)
		}
	}
	e.ended(nil, true)
	if took := wait(); took > minWait/2 {
		t.Errorf("after an answer it waits %v", took)
	}
}

func changedFile(t *testing.T) {
	path := write(t, t.TempDir()+"/prober", "")
	code, err := os.ReadFile(executableOf(t, "prober"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, code, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	s := spec(path)
	s.Workers = 1
	p := opened(t, s)
	if err := os.Rename(write(t, path+".new", "#!/bin/sh\necho another program\n"), path); err != nil {
		t.Fatal(err)
	}
	ratings, err := p.Score(t.Context(), documents("env A"))
	if err != nil || ratings[0].Status != sdk.OK {
		t.Fatalf("the process that runs: %v, %v", ratings, err)
	}
	_, err = p.Score(t.Context(), documents("exit"))
	wantError(t, err, "start an instance", path+" has changed since it was inspected")
}
