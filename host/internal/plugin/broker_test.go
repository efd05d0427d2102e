package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func brokerOf(t testing.TB, m sdk.Model) (*broker, *brokered) {
	t.Helper()
	b, err := newBroker(sdk.Manifest{Capabilities: []string{"model:m"}}, map[string]sdk.Model{"m": m})
	if err != nil {
		t.Fatal(err)
	}
	return b, b.models[0]
}

// slow is a model that takes its time.
type slow struct {
	sdktest.Model
	takes time.Duration
}

func (s *slow) Embed(ctx context.Context, texts []string) ([][]float64, error) {
	select {
	case <-time.After(s.takes):
		return s.Model.Embed(ctx, texts)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestRequestsOfInstancesAreMerged(t *testing.T) {
	model := &slow{takes: 20 * time.Millisecond}
	b, m := brokerOf(t, model)
	const instances = 16
	b.running.Store(instances)
	var wg sync.WaitGroup
	answers := make([][][]float64, instances)
	for i := range instances {
		wg.Go(func() {
			var err error
			if answers[i], err = m.Embed(t.Context(), []string{fmt.Sprint(i), "same"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, got := range answers {
		alone, err := model.Model.Embed(t.Context(), []string{fmt.Sprint(i), "same"})
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(alone) {
			t.Errorf("instance %d got %v, alone it gets %v", i, got, alone)
		}
	}
	if calls := model.Calls.Load() - instances; calls > 4 {
		t.Errorf("%d instances made %d calls of the model", instances, calls)
	}
}

func TestRequestThatFailsFailsAlone(t *testing.T) {
	b, m := brokerOf(t, &sdktest.Model{})
	b.running.Store(2)
	var wg sync.WaitGroup
	var good, bad error
	wg.Go(func() { _, good = m.Embed(t.Context(), []string{"fine"}) })
	wg.Go(func() { _, bad = m.Embed(t.Context(), []string{sdktest.Refused}) })
	wg.Wait()
	if good != nil {
		t.Errorf("the good request fails: %v", good)
	}
	wantError(t, bad, "model m: refused")
}

func TestRequestThatNobodyWaitsForEnds(t *testing.T) {
	model := &slow{takes: time.Minute}
	b, m := brokerOf(t, model)
	b.running.Store(1)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(errClosed) })
	if _, err := m.Embed(ctx, []string{"x"}); !errors.Is(err, errClosed) {
		t.Fatalf("error %v", err)
	}
	for !m.embed.busy.TryLock() { // the model has not returned
		time.Sleep(time.Millisecond)
	}
}

func TestTimeInTheModelIsNotThePlugins(t *testing.T) {
	b, m := brokerOf(t, &slow{takes: 300 * time.Millisecond})
	b.running.Store(1)
	ctx, meter := startMeter(t.Context(), 200*time.Millisecond)
	defer meter.stop()
	for range 2 {
		if _, err := m.Embed(ctx, []string{"x"}); err != nil {
			t.Fatal(err)
		}
	}
	if ctx.Err() != nil {
		t.Fatal("waiting for the model used up the plugin's time")
	}
	<-ctx.Done()
	var deadline deadlineError
	if !errors.As(context.Cause(ctx), &deadline) {
		t.Errorf("the call ended with %v", context.Cause(ctx))
	}
}

func TestModelThatGivesTooFewAnswersIsAnError(t *testing.T) {
	var running atomic.Int32
	q := queue[string, int]{
		name: "m", running: &running, busy: new(sync.Mutex),
		ask: func(context.Context, []string) ([]int, error) { return []int{1}, nil },
	}
	_, err := q.do(t.Context(), []string{"a", "b"})
	wantError(t, err, "model m: 1 answers to 2 requests")
}

// threads is how many threads the process has.
func threads(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(status, []byte("Threads:"))
	n, err := strconv.ParseInt(string(bytes.Fields(after)[0]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// embedding is a module that asks a model for the vector of one text for each document, and then answers.
func embedding(t testing.TB) string {
	request, err := wire.EncodeEmbed(new(wire.Builder), []string{"a text"})
	if err != nil {
		t.Fatal(err)
	}
	frame := ratingsFrame(t, 1, 0.5)
	const requestAt = dataAt + 1024
	m := misbehaving(t, number(0), number(requestAt), number(int64(len(request))), number(8192), number(4096), call(0),
		drop)
	m.imports = []imported{{importModule, "model_embed", modelType}}
	m.data = append(append(frame, make([]byte, 1024-len(frame))...), request...)
	m.manifest.Capabilities = []string{"model:m"}
	return m.file(t)
}

// A crowd is many instances of a module that wait for one slow model.
type crowd struct {
	p     *Plugin
	model *slow
	docs  []sdk.Document
}

func newCrowd(t testing.TB) crowd {
	const callers, rounds = 256, 8
	c := crowd{model: &slow{takes: 2 * time.Millisecond}}
	s := strict(embedding(t))
	s.Workers, s.Plugin.Limits.Memory = callers/modelFactor, 1<<20
	s.Plugin.Models, s.Models = map[string]string{"m": "engine"}, map[string]sdk.Model{"m": c.model}
	c.p = opened(t, s)
	texts := make([]string, callers*rounds)
	for i := range texts {
		texts[i] = "x"
	}
	c.docs = documents(texts...)
	return c
}

// ask rates all documents and returns how many texts the model got at once, in the mean.
func (c crowd) ask(t testing.TB) int {
	c.model.Calls.Store(0)
	ratings, err := c.p.Score(t.Context(), c.docs)
	if err != nil || statuses(ratings) != strings.Repeat("o", len(c.docs)) {
		t.Fatalf("%s, %v", statuses(ratings), err)
	}
	return len(c.docs) / int(c.model.Calls.Load())
}

func TestManyWaitingModulesShareTheModel(t *testing.T) {
	c := newCrowd(t)
	before := threads(t)
	for attempt := range 5 { // the first starts the instances, and the machine may be busy
		mean := c.ask(t)
		t.Logf("%d texts in a batch, %d threads", mean, threads(t))
		if attempt > 0 && mean >= 100 {
			break
		}
		if attempt == 4 {
			t.Errorf("many callers fill batches of %d", mean)
		}
	}
	if n := threads(t); n > max(before, 16) {
		t.Errorf("%d threads wait", n)
	}
}

// BenchmarkWaitingCallers lets 256 instances wait for one model.
func BenchmarkWaitingCallers(b *testing.B) {
	c := newCrowd(b)
	c.ask(b)
	texts := 0
	for b.Loop() {
		texts += c.ask(b)
	}
	b.ReportMetric(float64(texts)/float64(b.N), "texts/batch")
	b.ReportMetric(float64(threads(b)), "threads")
}
