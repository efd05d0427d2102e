package plugin

import (
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// misdeeds are what the hostile plugin does on a document with that text, and the reason that the fault must give.
var misdeeds = []struct{ text, wasm, process string }{
	{"panic", "panic: the plugin panics", "panic: the plugin panics"},
	{"error", "does not like this", "does not like this"},
	{"few", "0 answers to 1 records", "0 answers to 1 records"},
	{"nan", `score "length" is NaN`, `score "length" is NaN`},
	{"undeclared", `score "width" is not declared`, `score "width" is not declared`},
	{"exit", "exited with status 3", "ended with exit status 3"},
	{"memory", "fatal error: ", ""},
	{"loop", "longer than the deadline", "longer than the deadline"},
	{"stop", "", "longer than the deadline"},
}

func TestMisdeedsCostTheirRecordOnly(t *testing.T) {
	for _, m := range misdeeds {
		if m.wasm != "" {
			t.Run("wasm/"+m.text, func(t *testing.T) { misdeed(t, moduleOf(t, hostile), m.text, m.wasm) })
		}
		if m.process != "" {
			t.Run("process/"+m.text, func(t *testing.T) { misdeed(t, executableOf(t, "hostile"), m.text, m.process) })
		}
	}
}

// misdeed asks a hostile plugin for a bad record among good ones.
func misdeed(t *testing.T, use, text, want string) {
	s := spec(use)
	if strings.Contains(want, "deadline") {
		s.Plugin.Limits.Deadline, s.Plugin.Limits.Fuel = recipe.Duration(time.Second), plenty
	}
	p := opened(t, s)
	for range 2 {
		ratings, err := p.Score(t.Context(), documents(text, "good", "better"))
		if err != nil {
			t.Fatal(err)
		}
		if got := statuses(ratings); got != "foo" {
			t.Errorf("statuses %s, want foo", got)
		}
		if ratings[2].Scores["length"] != 6 {
			t.Errorf("a good record is rated %v", ratings[2])
		}
		if !strings.Contains(ratings[0].Detail, want) {
			t.Errorf("detail %q, want %q in it", ratings[0].Detail, want)
		}
		if strings.Contains(want, "deadline") {
			return // once is slow enough
		}
	}
}

func TestProcessThatLiesIsAFaultWithItsReason(t *testing.T) {
	for mode, want := range map[string]string{
		"rows":     "1 bytes for 1048576 values",
		"batch":    "it answers batch 1, not 0",
		"kind":     "frame of kind 0x82, not 0x81",
		"offsets":  "do not fit a frame",
		"empty":    "shorter than its header",
		"huge":     "larger than 16 MiB",
		"enormous": "larger than max",
	} {
		t.Run(mode, func(t *testing.T) {
			s := spec(executableOf(t, "liar"))
			s.Plugin.Args = []string{mode}
			p := opened(t, s)
			ratings, err := p.Score(t.Context(), documents("text"))
			if err != nil {
				t.Fatal(err)
			}
			if ratings[0].Status != sdk.Fault || !strings.Contains(ratings[0].Detail, want) {
				t.Errorf("%v, want a fault with %q", ratings[0], want)
			}
		})
	}
}

func TestProcessThatDoesNotStartSaysWhy(t *testing.T) {
	for mode, want := range map[string]string{
		"babble":   "Hello, I am a plugin!",
		"flood":    "before its handshake line",
		"quits":    "no licence found",
		"tcp":      "listens on tcp 127.0.0.1:1, not on a Unix socket",
		"nonsense": "manifest: json",
		"refuses":  "I do not open today",
	} {
		t.Run(mode, func(t *testing.T) {
			s := spec(executableOf(t, "liar"))
			s.Plugin.Args = []string{mode}
			began := time.Now()
			_, err := Open(t.Context(), s)
			wantError(t, err, "plugin subject: ", want)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v to say so", took)
			}
		})
	}
}

func TestProcessThatIsSilentIsGivenUp(t *testing.T) {
	c := newCommand(executableOf(t, "liar"), t.TempDir(), recipe.Plugin{Args: []string{"silent"}})
	c.sockets, c.timeout, c.log = t.TempDir(), 300*time.Millisecond, newGuestLog(new(logged).logger())
	_, err := launch(t.Context(), c)
	wantError(t, err, "not started within 300ms")
}

func TestTooManyFaultsEndTheCall(t *testing.T) {
	s := spec(honest(changed(ratingsFrame(t, 1, 1), 24, 9)).file(t))
	s.Plugin.Limits.Faults = 2
	p := opened(t, s)
	if _, err := p.Score(t.Context(), documents("1", "2")); err != nil {
		t.Fatalf("two faults are within the limit: %v", err)
	}
	_, err := p.Score(t.Context(), documents("3"))
	wantError(t, err, ErrTooManyFaults.Error(), "more than the limit of 2", "malformed answer")
}

func TestRecordThatNoFrameHoldsIsAFault(t *testing.T) {
	p := opened(t, spec(honest(ratingsFrame(t, 1, 1)).file(t)))
	ratings, err := p.Score(t.Context(), documents("ok", strings.Repeat("x", wire.MaxFrame)))
	if err != nil {
		t.Fatal(err)
	}
	if got := statuses(ratings); got != "of" || !strings.Contains(ratings[1].Detail, "larger than 16 MiB") {
		t.Errorf("statuses %s, %s", got, ratings[1].Detail)
	}
}
