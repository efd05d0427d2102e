package plugin

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
)

// Plugins that are compiled into the test.
const (
	fickle  = "test-fickle"
	memoryN = "test-memory"
)

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: fickle, Version: "1", Purity: sdk.Pure, Kinds: []sdk.Kind{sdk.KindScorer, sdk.KindFilter},
			Scores: []sdk.ScoreInfo{{Name: "length"}},
		},
		New: func(sdk.Env) (any, error) { return fickleScorer{}, nil },
	})
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: memoryN, Version: "1", Purity: sdk.Stateful, Kinds: []sdk.Kind{sdk.KindFilter},
		},
		New: func(sdk.Env) (any, error) { return &remembering{}, nil },
	})
}

// fickleScorer does what the text says.
type fickleScorer struct{}

func (fickleScorer) Score(ctx context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		switch d.Text {
		case "panic":
			var none []int
			_ = none[len(d.Text)]
		case "error":
			return nil, errors.New("no")
		case "heed":
			<-ctx.Done()
			return nil, ctx.Err()
		case "ignore":
			time.Sleep(time.Second)
		}
		ratings[i].Scores = map[string]float64{"length": float64(len(d.Text))}
	}
	return ratings, nil
}

func (fickleScorer) Filter(_ context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	verdicts := make([]sdk.Verdict, len(dialogues))
	for i := range verdicts {
		verdicts[i].Action = sdk.Later
	}
	return verdicts, nil
}

// remembering answers with the number of dialogues that it has seen.
type remembering struct{ seen, owed int }

func (r *remembering) Filter(_ context.Context, dialogues []sdk.Dialogue) ([]sdk.Verdict, error) {
	verdicts := make([]sdk.Verdict, len(dialogues))
	for i, d := range dialogues {
		r.seen++
		verdicts[i].Score = float64(r.seen)
		switch d.ID {
		case "panic":
			panic("lost my mind")
		case "later":
			r.owed++
			verdicts[i].Action = sdk.Later
		case "forget":
			verdicts[i].Action = sdk.Later
		}
	}
	return verdicts, nil
}

func (r *remembering) Flush(context.Context) ([]sdk.Verdict, error) {
	verdicts := make([]sdk.Verdict, r.owed)
	for i := range verdicts {
		verdicts[i] = sdk.Verdict{Action: sdk.Drop, Score: float64(-i)}
	}
	r.owed = 0
	return verdicts, nil
}

func dialogues(ids ...string) []sdk.Dialogue {
	all := make([]sdk.Dialogue, len(ids))
	for i, id := range ids {
		all[i] = sdk.Dialogue{ID: id, Turns: []sdk.Turn{{Role: sdk.RoleUser, Text: id}}}
	}
	return all
}

func TestPanicOfABuiltInPluginIsAFault(t *testing.T) {
	p := opened(t, spec(fickle))
	ratings, err := p.Score(t.Context(), documents("a", "panic", "bb", "error", "ccc"))
	if err != nil {
		t.Fatal(err)
	}
	if got := statuses(ratings); got != "ofofo" {
		t.Errorf("statuses %s", got)
	}
	if !strings.Contains(ratings[1].Detail, "panic: runtime error: index out of range") {
		t.Errorf("detail %q", ratings[1].Detail)
	}
	if v := ratings[1].Scores["length"]; v == v {
		t.Errorf("a fault has score %v", v)
	}
}

func TestBuiltInPluginThatTakesTooLongIsAFault(t *testing.T) {
	s := spec(fickle)
	s.Plugin.Limits.Deadline = recipe.Duration(50 * time.Millisecond)
	p := opened(t, s)
	ratings, err := p.Score(t.Context(), documents("heed", "a", "ignore"))
	if err != nil {
		t.Fatal(err)
	}
	if got := statuses(ratings); got != "fof" || !strings.Contains(ratings[2].Detail, "deadline of 50ms") {
		t.Errorf("statuses %s, %s", got, ratings[2].Detail)
	}
}

func TestAnswersKeepTheOrderOfTheRecords(t *testing.T) {
	s := spec(fickle)
	s.Plugin.Limits.Batch, s.Workers = 3, 4
	p := opened(t, s)
	docs := make([]sdk.Document, 1000)
	for i := range docs {
		docs[i].Text = strings.Repeat("x", i)
	}
	ratings, err := p.Score(t.Context(), docs)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range ratings {
		if r.Scores["length"] != float64(i) {
			t.Fatalf("record %d is rated %v", i, r)
		}
	}
}

func TestBatchesEndAtTheLimits(t *testing.T) {
	p := &Plugin{limits: recipe.Limits{Batch: 3}}
	a := &asking[int, int]{method: &method[int, int]{size: func(n *int) int { return *n }}, plugin: p}
	most := batchBytes(TransportBuiltin)
	for _, c := range []struct{ sizes, ends []int }{
		{nil, nil},
		{[]int{1, 1, 1, 1}, []int{3, 4}},
		{[]int{most, 1, most - 1, 1, 1}, []int{1, 3, 5}},
		{[]int{3 * most, 3 * most}, []int{1, 2}},
	} {
		a.in = c.sizes
		if got := a.split(); !slices.Equal(got, c.ends) {
			t.Errorf("sizes %v end at %v, want %v", c.sizes, got, c.ends)
		}
	}
}

func TestCancelledCallEnds(t *testing.T) {
	p := opened(t, spec(fickle))
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := p.Score(ctx, documents("heed")); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if _, err := p.Score(t.Context(), documents("fine")); err != nil {
		t.Fatalf("the plugin is of no use afterwards: %v", err)
	}
}

func TestClosingEndsCallsThatRun(t *testing.T) {
	p, err := Open(t.Context(), spec(fickle))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := p.Score(t.Context(), documents("heed"))
		ended <- err
	}()
	for p.broker.running.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, errClosed) {
		t.Errorf("the call ended with %v", err)
	}
	if _, err := p.Score(t.Context(), documents("a")); !errors.Is(err, errClosed) {
		t.Errorf("a later call ended with %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func TestKindThatThePluginIsNotIsAnError(t *testing.T) {
	_, err := opened(t, spec(fickle)).Reward(t.Context(), nil)
	wantError(t, err, "test-fickle is not a reward", "scorer")
}

func TestPostponingWithoutStateIsAFault(t *testing.T) {
	p := opened(t, spec(fickle))
	verdicts, err := p.FilterAll(t.Context(), dialogues("a"))
	if err != nil || verdicts[0].Status != sdk.Fault || !strings.Contains(verdicts[0].Detail, "not declared stateful") {
		t.Fatalf("%v, %v", verdicts, err)
	}
}

func TestStatefulPluginIsOneInstanceInOrder(t *testing.T) {
	s := spec(memoryN)
	s.Plugin.Limits.Batch = 2
	p := opened(t, s)
	verdicts, err := p.FilterAll(t.Context(), dialogues("a", "later", "b", "c", "later"))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1, 0, 3, 4, -1} {
		if verdicts[i].Score != want {
			t.Errorf("verdict %d has score %v, want %v", i, verdicts[i].Score, want)
		}
	}
}

func TestStatefulPluginThatFailsEndsTheRun(t *testing.T) {
	p := opened(t, spec(memoryN))
	_, err := p.Filter(t.Context(), dialogues("a", "panic", "b"))
	if !errors.Is(err, ErrStateLost) {
		t.Fatalf("error %v", err)
	}
	wantError(t, err, "records a to b", "panic: lost my mind")
	if _, err := p.Filter(t.Context(), dialogues("a")); !errors.Is(err, ErrStateLost) {
		t.Errorf("it goes on: %v", err)
	}
	if _, err := p.Finish(t.Context()); !errors.Is(err, ErrStateLost) {
		t.Errorf("it finishes: %v", err)
	}
}

func TestStatefulPluginThatIsInterruptedDoesNotGoOn(t *testing.T) {
	p := opened(t, spec(memoryN))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Filter(ctx, dialogues("a", "b")); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if _, err := p.Filter(t.Context(), dialogues("a", "b")); !errors.Is(err, ErrStateLost) {
		t.Errorf("it goes on: %v", err)
	}
}

func TestRecordThatCannotBeSentCostsNoState(t *testing.T) {
	p := opened(t, spec(memoryN))
	all := dialogues("a", "b", "c")
	all[1].Turns[0].Role = "nurse"
	verdicts, err := p.Filter(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	if verdicts[1].Status != sdk.Fault || verdicts[2].Score != 2 {
		t.Errorf("verdicts %v", verdicts)
	}
}

func TestFlushThatOwesVerdictsIsAnError(t *testing.T) {
	p := opened(t, spec(memoryN))
	if _, err := p.Filter(t.Context(), dialogues("forget")); err != nil {
		t.Fatal(err)
	}
	_, err := p.Finish(t.Context())
	wantError(t, err, "0 verdicts for the 1 that were postponed")
}
