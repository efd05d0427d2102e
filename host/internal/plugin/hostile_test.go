package plugin

import (
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func TestModuleThatIsHonestAnswers(t *testing.T) {
	p := opened(t, spec(honest(ratingsFrame(t, 1, 0.5)).file(t)))
	ratings, err := p.Score(t.Context(), documents("text"))
	if err != nil || ratings[0].Status != sdk.OK || ratings[0].Scores["length"] != 0.5 {
		t.Fatalf("%v, %v", ratings, err)
	}
}

func TestModuleThatMisbehavesIsAFaultWithItsReason(t *testing.T) {
	frame := ratingsFrame(t, 1, 0.5)
	with := func(change func(*bareModule)) bareModule {
		m := honest(frame)
		change(&m)
		return m
	}
	for _, c := range []struct {
		name, want string
		module     bareModule
	}{
		{"trap", "unreachable", with(func(m *bareModule) { m.run = unreachable })},
		{"endless loop", "longer than the deadline of 200ms", with(func(m *bareModule) { m.run = endless })},
		{"no answer", "gives no reason", with(func(m *bareModule) { m.run = returns(true, 0) })},
		{"huge answer", "larger than 16 MiB", with(func(m *bareModule) { m.run = returns(true, dataAt<<32|17<<20) })},
		{"answer outside the memory", "outside the module's memory", with(func(m *bareModule) {
			m.run = returns(true, 512<<10<<32|64)
		})},
		{"no arena", "no memory for a request", with(func(m *bareModule) { m.arena = 0 })},
		{"arena outside the memory", "lies outside its memory", with(func(m *bareModule) { m.arena = 512 << 10 })},
		{"too few rows", "0 rows for 1 records", honest(ratingsFrame(t, 0, 1))},
		{"too many rows", "2 rows for 1 records", honest(ratingsFrame(t, 2, 1))},
		{"NaN", `score "length" is NaN`, honest(ratingsFrame(t, 1, nan))},
		{"another batch", "answers batch 1, not 0", honest(changed(frame, 24, 1))},
		{"another kind", "frame of kind", honest(changed(frame, 6, 0x82))},
		{"no frame", "does not start with DPF1", honest([]byte(strings.Repeat("x", 64)))},
		{"cut frame", "frame says", honest(frame[:len(frame)-1])},
		{"status", "unknown status 9", honest(changed(frame, 32+3*24, 9))},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := spec(c.module.file(t))
			s.Plugin.Limits.Deadline = recipe.Duration(200 * time.Millisecond)
			p := opened(t, s)
			ratings, err := p.Score(t.Context(), documents("text"))
			if err != nil {
				t.Fatal(err)
			}
			if ratings[0].Status != sdk.Fault || !strings.Contains(ratings[0].Detail, c.want) {
				t.Errorf("%v, want a fault with %q", ratings[0], c.want)
			}
		})
	}
}

func TestModuleThatBreaksTheContractIsNotOpened(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*bareModule)
	}{
		{"unknown import", "imports env.abort, which plugins do not get", func(m *bareModule) { m.env = true }},
		{"start section", "start section", func(m *bareModule) { m.start = true }},
		{"other version", "version 2 of the contract, this host 1", func(m *bareModule) { m.abi = 2 << 16 }},
		{"missing export", "exports no dp_run", func(m *bareModule) { m.noRun = true }},
		{"other signature", "dp_alloc has another signature", func(m *bareModule) { m.params = 2 }},
		{"too much memory", "memory limit 1 MiB", func(m *bareModule) { m.pages = 17 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := honest(nil)
			c.change(&m)
			if m.start {
				packed := append(m.assemble(), 0) // Pack would look at it first
				_, err := moduleManifest(packed[:len(packed)-1])
				wantError(t, err, c.want)
				return
			}
			s := spec(m.file(t))
			s.Plugin.Limits.Memory = 1 << 20
			_, err := Open(t.Context(), s)
			wantError(t, err, "plugin subject: ", c.want)
		})
	}
}

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
		s.Plugin.Limits.Deadline = recipe.Duration(time.Second)
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
