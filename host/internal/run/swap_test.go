package run

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/sdk"
)

// A swapper asks a run of the recipe ranked for another reward when so many prompts of answered are judged.
type swapper struct {
	at        int
	overrides []string
	shadow    int
	ended     chan error
	replies   []Reply
}

// asks makes the swapper's request while the run waits, so that the border at which it is heeded is certain.
func (p *project) asks(t *testing.T, s *swapper) {
	t.Helper()
	s.ended = make(chan error, 1)
	at := fmt.Sprintf("%d/24", s.at)
	entry, err := p.process(t, "ranked.yaml").Alternative("reward", s.overrides)
	if err != nil {
		t.Fatal(err)
	}
	p.on = func(message map[string]any) {
		if message["msg"] != "judged" || message["step"] != at {
			return
		}
		taken := make(chan struct{})
		go func() {
			s.ended <- Ask(t.Context(), p.path("ranked"), Request{"reward", entry, s.shadow}, func(r Reply) {
				if s.replies = append(s.replies, r); len(s.replies) == 1 {
					close(taken)
				}
			})
		}()
		<-taken
	}
}

var turned = []string{"with.turn=-1"}

// swapped does a run in which the reward was swapped, and returns what the caller was told.
func (p *project) swapped(t *testing.T, s *swapper, overrides ...string) []Reply {
	t.Helper()
	p.asks(t, s)
	p.run(t, "ranked.yaml", overrides...)
	p.on = nil
	if err := <-s.ended; err != nil {
		t.Fatal(err)
	}
	return s.replies
}

func TestARewardIsSwappedAfterItWasTheShadow(t *testing.T) {
	p := rankedProject(t)
	replies := p.swapped(t, &swapper{at: 8, overrides: turned, shadow: 2})
	if len(replies) != 4 || replies[0].Stage != "answered" || replies[1].Batch != 1 || replies[2].Batch != 2 {
		t.Fatalf("replies %+v", replies)
	}
	swap := replies[3].Swapped
	a := swap.Shadow
	if swap.At != 16 || swap.Plugin != "reward" || !strings.Contains(swap.Entry, "turn: -1") {
		t.Errorf("swap %+v", swap)
	}
	if a.Samples != 24 || a.Prompts != 8 || *a.Same != 0 || *a.Flips != 1 || !(*a.Spearman < -0.999) ||
		a.Old.Judged != 24 || a.Old.Rewards.Mean != -a.New.Rewards.Mean ||
		a.Old.Rewards.Deciles[10] != -a.New.Rewards.Deciles[0] {
		t.Errorf("agreement with the opposite %+v", a)
	}
	p.wantSwapAt(t, 16)
}

// wantSwapAt checks that the first prompts are judged as the recipe says, the others by the opposite, and that this is
// on record.
func (p *project) wantSwapAt(t *testing.T, at int) {
	t.Helper()
	ours, theirs := rankedProject(t), rankedProject(t)
	ours.run(t, "ranked.yaml")
	theirs.run(t, "ranked.yaml", "plugins.reward.with.turn=-1")
	lines := func(p *project) []judgedPrompt {
		return jsonLines[judgedPrompt](t, p.path("ranked", "answered", samplesFile))
	}
	want := slices.Concat(lines(ours)[:at], lines(theirs)[at:])
	if diff := cmp.Diff(want, lines(p)); diff != "" {
		t.Errorf("judgements (-of one, then of the other +got):\n%s", diff)
	}
	l := p.lockText(t, "ranked")
	swaps := l.Lock.Swaps["answered"]
	if s := p.summary(t, "ranked", "answered"); len(s.Swaps) != 1 || len(swaps) != 1 ||
		s.Swaps[0].identity() != swaps[0].identity() ||
		s.Key != l.Lock.Stages["answered"] {
		t.Errorf("the summary has %+v of key %s, the lock file %+v of key %s", s.Swaps, s.Key, swaps,
			l.Lock.Stages["answered"])
	}
	for _, stage := range []string{"answered", "dpo"} {
		if l.Lock.Stages[stage] == ours.lockText(t, "ranked").Lock.Stages[stage] {
			t.Errorf("%s has the key of a stage that nothing was swapped in", stage)
		}
	}
}

func TestARunWithASwapThatIsStoppedGoesOnToTheSameBits(t *testing.T) {
	never, whole := rankedProject(t), rankedProject(t)
	never.run(t, "ranked.yaml")
	whole.swapped(t, &swapper{at: 8, overrides: turned, shadow: 2})
	for _, stopAt := range []int{12, 16, 20, 24} { // before the shadow's time is over it is forgotten; later it is kept
		p := rankedProject(t)
		s := &swapper{at: 8, overrides: turned, shadow: 2}
		p.asks(t, s)
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("stop")
		asks := p.on
		p.on = func(message map[string]any) {
			asks(message)
			if message["msg"] == "judged" && message["step"] == fmt.Sprintf("%d/24", stopAt) {
				cancel(stop)
			}
		}
		if err := p.process(t, "ranked.yaml").Run(ctx); !errors.Is(err, stop) {
			t.Fatalf("stopped at %d: %v", stopAt, err)
		}
		if err := <-s.ended; (err == nil) != (stopAt > 16) {
			t.Errorf("stopped at %d: the caller is told %v", stopAt, err)
		}
		p.on = nil
		want := whole
		if stopAt <= 16 {
			want = never
		}
		p.run(t, "ranked.yaml")
		for _, stage := range []string{"answered", "dpo"} {
			wantSameStage(t, fmt.Sprintf("stopped at %d", stopAt), want, p, stage)
		}
	}
}

// wantSameStage compares all files of a stage but those with times in them.
func wantSameStage(t *testing.T, what string, want, got *project, stage string) {
	t.Helper()
	a, b := want.contents(t, "ranked", stage), got.contents(t, "ranked", stage)
	for _, all := range []map[string]string{a, b} {
		for name := range all {
			if stage == "dpo" && !strings.HasSuffix(name, "model.safetensors") {
				delete(all, name)
			}
		}
	}
	if diff := cmp.Diff(a, b); diff != "" || len(a) == 0 {
		t.Errorf("%s, %s: %d files (-whole +got):\n%s", what, stage, len(a), diff)
	}
}

func TestTheNextRunAfterASwapIsThatOfTheRecipe(t *testing.T) {
	never, p := rankedProject(t), rankedProject(t)
	never.run(t, "ranked.yaml")
	p.swapped(t, &swapper{at: 8, overrides: turned, shadow: 1})
	p.plan(t, "ranked.yaml")
	if got := p.column(t, "state"); got["answered"] != "runs" || got["dpo"] != "runs" || got["chosen"] != "done" {
		t.Errorf("the plan says %v", got)
	}
	if begun := p.run(t, "ranked.yaml"); !slices.Equal(begun, []string{"answered", "dpo"}) {
		t.Errorf("the next run did %v", begun)
	}
	wantSameStage(t, "after a run that swapped", never, p, "answered")
	if swaps := p.lockText(t, "ranked").Lock.Swaps; swaps != nil {
		t.Errorf("the lock file still has %v", swaps)
	}
	if begun := p.run(t, "ranked.yaml"); begun != nil {
		t.Errorf("the run after that did %v", begun)
	}
}

// A swap that another run made is none of a run that was stopped before it came to the stage.
func TestASwapOfAnEarlierRunDoesNotComeBack(t *testing.T) {
	never, p := rankedProject(t), rankedProject(t)
	never.run(t, "ranked.yaml")
	p.swapped(t, &swapper{at: 8, overrides: turned, shadow: 1})
	ctx, cancel := context.WithCancelCause(t.Context())
	p.on = func(message map[string]any) {
		if message["msg"] == "stage is done already" {
			cancel(errors.New("stop"))
		}
	}
	if err := p.process(t, "ranked.yaml").Run(ctx); err == nil {
		t.Fatal("the run was not stopped")
	}
	p.on = nil
	if begun := p.run(t, "ranked.yaml"); !slices.Equal(begun, []string{"answered", "dpo"}) {
		t.Errorf("the run after that did %v", begun)
	}
	wantSameStage(t, "after two runs", never, p, "answered")
}

// A process that was killed when the lock file had the swap and the ledger had not goes on without.
func TestASwapIsWhatBothLockAndLedgerHave(t *testing.T) {
	never, p := rankedProject(t), rankedProject(t)
	never.run(t, "ranked.yaml")
	p.stopAfter(t, 12)
	made := p.process(t, "ranked.yaml")
	if err := made.resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	swap := Swap{Plugin: "reward", At: 8, Entry: "use: test-reward", Digest: "x"}
	made.ledger["answered"] = inputs{made.keys["answered"], []Swap{swap}}
	if err := errors.Join(made.resolve(t.Context()), made.writeLockFile(false)); err != nil {
		t.Fatal(err)
	}
	p.run(t, "ranked.yaml")
	wantSameStage(t, "killed between lock file and ledger", never, p, "answered")
}

// A run that was stopped after the swapped stage goes on with its results, and so does its plan.
func TestAStageWithASwapIsDoneForTheRestOfItsRun(t *testing.T) {
	whole, p := rankedProject(t), rankedProject(t)
	whole.swapped(t, &swapper{at: 8, overrides: turned, shadow: 1})
	s := &swapper{at: 8, overrides: turned, shadow: 1}
	p.asks(t, s)
	ctx, cancel := context.WithCancelCause(t.Context())
	asks := p.on
	p.on = func(message map[string]any) {
		asks(message)
		if message["msg"] == "stage begins" && message["stage"] == "dpo" {
			cancel(errors.New("stop"))
		}
	}
	if err := p.process(t, "ranked.yaml").Run(ctx); err == nil {
		t.Fatal("the run was not stopped")
	}
	p.on = nil
	p.plan(t, "ranked.yaml")
	if got := p.column(t, "state"); got["answered"] != "done" {
		t.Errorf("the plan says %v", got)
	}
	if begun := p.run(t, "ranked.yaml"); !slices.Equal(begun, []string{"dpo"}) {
		t.Errorf("the run went on with %v", begun)
	}
	wantSameStage(t, "stopped after the stage", whole, p, "dpo")
}

func TestASwapWithoutAShadowIsHeededAtTheNextBorder(t *testing.T) {
	p := rankedProject(t)
	replies := p.swapped(t, &swapper{at: 12, overrides: turned})
	if len(replies) != 2 || replies[1].Swapped.At != 12 || replies[1].Swapped.Shadow != nil {
		t.Fatalf("replies %+v", replies)
	}
	p.wantSwapAt(t, 12)
}

func TestTwoSwapsFollowEachOther(t *testing.T) {
	p := rankedProject(t)
	first := &swapper{at: 4, overrides: turned, shadow: 1}
	second := &swapper{at: 12, overrides: []string{"with.salt=again"}, shadow: 1}
	p.asks(t, first)
	one := p.on
	p.asks(t, second)
	other := p.on
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	p.on = func(message map[string]any) {
		one(message)
		other(message)
		if message["step"] == "20/24" {
			cancel(stop)
		}
	}
	if err := p.process(t, "ranked.yaml").Run(ctx); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	p.on = nil
	for _, s := range []*swapper{first, second} {
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	}
	p.run(t, "ranked.yaml", "stages.answered.batch_size=24")
	by := map[string]int{}
	for _, j := range jsonLines[judgedPrompt](t, p.path("ranked", "answered", samplesFile)) {
		for _, a := range j.Answers {
			switch {
			case *a.Reward < 0:
				by["turned"]++
			default:
				by["other"]++
			}
		}
	}
	swaps := p.summary(t, "ranked", "answered").Swaps
	if len(swaps) != 2 || swaps[0].At != 8 || swaps[1].At != 16 || by["turned"] == 0 {
		t.Errorf("swaps %+v, rewards %v", swaps, by)
	}
}

// onJudged calls do when the reward that the recipe names has judged a response, once.
func onJudged(t *testing.T, response string, do func()) {
	t.Helper()
	var once sync.Once
	whenJudged = func(r *scorekeeper, got string) {
		if got == response && r.Turn == 1 {
			once.Do(do)
		}
	}
	t.Cleanup(func() { whenJudged = nil })
}

// curateSwap runs the recipe's curate stage and swaps its reward when the seventh pair is judged.
func (p *project) curateSwap(t *testing.T) {
	t.Helper()
	entry, err := p.process(t, "ranked.yaml").Alternative("reward", turned)
	if err != nil {
		t.Fatal(err)
	}
	ended, taken := make(chan error, 1), make(chan struct{})
	onJudged(t, "It is 6.", func() {
		go func() {
			ended <- Ask(t.Context(), p.path("ranked"), Request{"reward", entry, 1}, func(r Reply) {
				if r.Batch == 0 && r.Swapped == nil {
					close(taken)
				}
			})
		}()
		<-taken
	})
	p.run(t, "ranked.yaml", "stages.answered=null", "stages.dpo=null")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	whenJudged = nil
}

func TestARewardOfACurateStageIsSwapped(t *testing.T) {
	ours, theirs, p := rankedProject(t), rankedProject(t), rankedProject(t)
	alone := []string{"stages.answered=null", "stages.dpo=null"}
	ours.run(t, "ranked.yaml", alone...)
	theirs.run(t, "ranked.yaml", append(alone, "plugins.reward.with.turn=-1")...)
	p.curateSwap(t)
	size := runtime.GOMAXPROCS(0)
	at := (6/size + 2) * size // the batch of the seventh, and one of the shadow's
	lines := func(p *project) []judgedPrompt {
		return jsonLines[judgedPrompt](t, p.path("ranked", "chosen", "samples-2.jsonl"))
	}
	want := slices.Concat(lines(ours)[:at], lines(theirs)[at:])
	if diff := cmp.Diff(want, lines(p)); diff != "" {
		t.Errorf("judgements (-of one, then of the other +got):\n%s", diff)
	}
	swaps := p.summary(t, "ranked", "chosen").Swaps
	if len(swaps) != 1 || swaps[0].At != at || swaps[0].Step != 2 || *swaps[0].Shadow.Flips != 1 {
		t.Errorf("swaps %+v", swaps)
	}
	records, err := data.OpenDataset(p.path("ranked", "chosen", "dataset"))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		if (r.Scores["reward.chosen"] < 0) != (i >= at) && r.Scores["reward.chosen"] != 0 {
			t.Errorf("record %d has the scores %v", i, r.Scores)
		}
	}
}

// A curate stage that is stopped begins again. What its ledger has is heeded where it stood, whatever the batches.
func TestACurateStageWithASwapGoesOnToTheSameBits(t *testing.T) {
	whole, p := rankedProject(t), rankedProject(t)
	whole.curateSwap(t)
	if err := os.MkdirAll(p.path("ranked", "chosen"), 0o755); err != nil {
		t.Fatal(err)
	}
	// The files of a process that was killed right after the swap.
	for _, name := range []string{lockFile, filepath.Join("chosen", claimFile)} {
		text, err := os.ReadFile(whole.path("ranked", name))
		if err != nil {
			t.Fatal(err)
		}
		text = []byte(strings.Replace(string(text), "finished: true", "finished: false", 1))
		if err := os.WriteFile(p.path("ranked", name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p.run(t, "ranked.yaml", "stages.answered=null", "stages.dpo=null")
	wantSameStage(t, "gone on", whole, p, "chosen")
}

func TestAPluginThatHasChangedDoesNotGoOn(t *testing.T) {
	p := rankedProject(t)
	s := &swapper{at: 4, overrides: turned, shadow: 1}
	p.asks(t, s)
	ctx, cancel := context.WithCancelCause(t.Context())
	asks := p.on
	p.on = func(message map[string]any) {
		asks(message)
		if message["step"] == "16/24" {
			cancel(errors.New("stop"))
		}
	}
	if err := p.process(t, "ranked.yaml").Run(ctx); err == nil {
		t.Fatal("the run was not stopped")
	}
	p.on = nil
	file := filepath.Join(p.path("ranked", "answered"), claimFile)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "turn: -1", "turn: -2", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	err = p.process(t, "ranked.yaml").Run(t.Context())
	if err == nil || !strings.Contains(err.Error(),
		"stage answered: the reward that took over at record 8: plugin or models have changed since") {
		t.Errorf("error %v", err)
	}
}

func TestWhatCannotTakeOverIsRefusedAndTheRunGoesOn(t *testing.T) {
	never := rankedProject(t)
	never.run(t, "ranked.yaml")
	for what, c := range map[string]struct {
		entry string
		name  string
		want  string
	}{
		"an unknown plugin": {"use: test-reward", "rewards", `there is no plugin "rewards", did you mean reward`},
		"no such file":      {"use: ./none.wasm", "reward", "there is no file"},
		"an unknown model":  {"use: test-asker\nmodels: {judge: nobody}", "reward", `nothing is named "nobody"`},
		"a stateful plugin": {"use: test-judge", "reward", "test-judge is stateful"},
		"a model that is asked": {"use: test-asker", "reward",
			"models.judge: test-asker asks for a model and the recipe binds none"},
		"a stage to come": {"use: test-asker\nmodels: {judge: words}", "reward", "want a model or a train stage"},
		"a circle": {"use: test-asker\nmodels: {judge: dpo}", "reward",
			"the stages need each other in a circle"},
		"a wrong configuration": {"use: test-reward\nwith: {turns: 1}", "reward", "with.turns: unknown key"},
		"more than is granted": {"use: test-reward\ngrant: {network: ['a:1']}", "reward",
			"a swap grants nothing: grant.network of the recipe lacks a:1"},
		"no YAML": {"{", "reward", "no YAML value"},
	} {
		t.Run(what, func(t *testing.T) {
			p := rankedProject(t)
			var err error
			p.on = func(message map[string]any) {
				if message["step"] == "8/24" {
					err = Ask(t.Context(), p.path("ranked"), Request{c.name, c.entry, 1}, func(Reply) {})
				}
			}
			p.run(t, "ranked.yaml")
			p.on = nil
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			wantSameStage(t, what, never, p, "answered")
		})
	}
}

func TestAShadowThatFailsOrComesTooLateDoesNotTakeOver(t *testing.T) {
	never := rankedProject(t)
	never.run(t, "ranked.yaml")
	for what, c := range map[string]struct {
		swapper
		want string
	}{
		"too many faults": {swapper{at: 8, overrides: []string{"with.fail=true", "limits.faults=1"}, shadow: 2},
			"too many faulty records"},
		"too late": {swapper{at: 16, overrides: turned, shadow: 9},
			"stage answered ended, or was stopped, before the shadow's batches were over: nothing was swapped"},
		"at the end": {swapper{at: 24, overrides: turned, shadow: 0},
			"stage answered has ended: nothing was swapped"},
	} {
		t.Run(what, func(t *testing.T) {
			p := rankedProject(t)
			p.asks(t, &c.swapper)
			p.run(t, "ranked.yaml")
			p.on = nil
			if err := <-c.ended; err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			wantSameStage(t, what, never, p, "answered")
		})
	}
}

func TestACallerThatGoesWithdrawsItsRequest(t *testing.T) {
	never, p := rankedProject(t), rankedProject(t)
	never.run(t, "ranked.yaml")
	entry, err := p.process(t, "ranked.yaml").Alternative("reward", turned)
	if err != nil {
		t.Fatal(err)
	}
	p.on = func(message map[string]any) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		switch message["step"] {
		case "4/24":
			gone := Ask(ctx, p.path("ranked"), Request{"reward", entry, 5}, func(Reply) { cancel() })
			if !errors.Is(gone, context.Canceled) {
				t.Errorf("a caller that goes: %v", gone)
			}
		case "8/24": // the place is free again, sooner or later
			for {
				err := Ask(ctx, p.path("ranked"), Request{"reward", entry, 5}, func(Reply) { cancel() })
				if err == nil || !strings.Contains(err.Error(), "another swap is under way") {
					return
				}
			}
		}
	}
	p.run(t, "ranked.yaml")
	p.on = nil
	wantSameStage(t, "with callers that went", never, p, "answered")
}

func TestAScorerIsNoReward(t *testing.T) {
	err := judgesInBatches(sdk.Manifest{Name: "rules", Kinds: []sdk.Kind{sdk.KindScorer}, Purity: sdk.Pure})
	if err == nil || err.Error() != "rules is no reward (it is: [scorer])" {
		t.Errorf("error %v", err)
	}
}
