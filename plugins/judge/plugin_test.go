package judge

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/sdk"
)

// An endpoint is a server on loopback that answers by a function and keeps what it was asked.
type endpoint struct {
	*httptest.Server
	mu      sync.Mutex
	prompts []string
	headers []http.Header
	paths   []string
}

// answering starts an endpoint; answer gets the number of the request, from 0, and the prompt.
func answering(t *testing.T, answer func(w http.ResponseWriter, n int, prompt string)) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body request
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) != 1 {
			t.Errorf("request of %d messages, error %v", len(body.Messages), err)
		}
		if body.Model != "large" || body.MaxTokens != 512 || body.Temperature != 0 {
			t.Errorf("request %+v", body)
		}
		e.mu.Lock()
		n := len(e.prompts)
		e.prompts = append(e.prompts, body.Messages[0].Content)
		e.headers, e.paths = append(e.headers, r.Header.Clone()), append(e.paths, r.URL.Path)
		e.mu.Unlock()
		answer(w, n, body.Messages[0].Content)
	}))
	t.Cleanup(e.Close)
	return e
}

// asked returns the number of requests so far.
func (e *endpoint) asked() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.prompts)
}

// say answers as a chat completion of 100 tokens.
func say(w http.ResponseWriter, text string) {
	json.NewEncoder(w).Encode(map[string]any{
		"choices": []any{map[string]any{"message": message{"assistant", text}}}, "usage": map[string]int{"total_tokens": 100},
	})
}

// rating answers with these ratings, one after the other.
func rating(ratings ...float64) func(http.ResponseWriter, int, string) {
	return func(w http.ResponseWriter, n int, _ string) {
		say(w, fmt.Sprintf("It is fluent.\nQuality score: %v", ratings[n%len(ratings)]))
	}
}

// host is the sdk.Host of the tests; it keeps what is logged.
type host struct{ lines []string }

func (h *host) Model(string) (sdk.Model, error) { panic("the judge asks no model of the host") }
func (h *host) Log(_ sdk.Level, line string)    { h.lines = append(h.lines, line) }

// opened makes a judge of the endpoint, with further configuration, that works in order and keeps its waits instead of
// waiting.
func opened(t *testing.T, url, more string) (j *judge, waits *[]time.Duration, h *host) {
	t.Helper()
	h, waits = &host{}, new([]time.Duration)
	const config = `{"endpoint": %q, "model": "large", "requests_per_minute": 1e9, "parallel": 1%s}`
	p, err := open(sdk.Env{Config: fmt.Appendf(nil, config, url+"/v1/", more), Host: h})
	if err != nil {
		t.Fatal(err)
	}
	j = p.(*judge)
	j.chat.client.sleep = func(_ context.Context, d time.Duration) error {
		if d > time.Millisecond {
			*waits = append(*waits, d)
		}
		return nil
	}
	return j, waits, h
}

func score(t *testing.T, j *judge, texts ...string) []sdk.Rating {
	t.Helper()
	docs := make([]sdk.Document, len(texts))
	for i := range texts {
		docs[i].Text = texts[i]
	}
	ratings, err := j.Score(context.Background(), docs)
	if err != nil {
		t.Fatal(err)
	}
	return ratings
}

func TestRatingIsTheMeanOfTwo(t *testing.T) {
	e := answering(t, rating(3, 4))
	j, _, _ := opened(t, e.URL, "")
	got := score(t, j, "Rest helps.", "多休息有益。")
	want := []sdk.Rating{
		{Scores: map[string]float64{"quality": 3.5}, Detail: "rated 3 and 4"},
		{Scores: map[string]float64{"quality": 3.5}, Detail: "rated 3 and 4"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	for i, p := range e.prompts {
		text, rubric := [...]string{"Rest helps.", "多休息有益。"}[i/2], [...]string{english.rubric, chinese.rubric}[i/2]
		at, rubricAt := strings.Index(p, text), strings.Index(p, rubric)
		if at < 0 || rubricAt < 0 || (i%2 == 0) != (rubricAt < at) {
			t.Errorf("prompt %d has the rubric at %d and the document at %d:\n%s", i, rubricAt, at, p)
		}
		if e.paths[i] != "/v1/chat/completions" || e.headers[i].Get("Authorization") != "" {
			t.Errorf("request %d goes to %s with headers %v", i, e.paths[i], e.headers[i])
		}
	}
}

func TestDocumentWithoutAgreedRatingIsNotJudged(t *testing.T) {
	for _, c := range []struct {
		ratings []float64
		more    string
		want    sdk.Status
	}{
		{[]float64{1, 3}, "", sdk.Abstain}, {[]float64{1, 2.9}, "", sdk.OK}, {[]float64{7, 7}, "", sdk.Abstain},
		{[]float64{4, 3}, `, "disagreement": 1`, sdk.Abstain},
	} {
		j, _, _ := opened(t, answering(t, rating(c.ratings...)).URL, c.more)
		if got := score(t, j, "Rest helps.")[0]; got.Status != c.want || got.Status != sdk.OK && got.Scores != nil {
			t.Errorf("%v%s: %+v", c.ratings, c.more, got)
		}
	}
}

func TestWhatTheEndpointGetsWrongIsNoRating(t *testing.T) {
	type answer = func(w http.ResponseWriter, n int, prompt string)
	text := func(text string) answer {
		return func(w http.ResponseWriter, _ int, _ string) { io.WriteString(w, text) }
	}
	failing := func(text string, status int) answer {
		return func(w http.ResponseWriter, _ int, _ string) { http.Error(w, text, status) }
	}
	for name, c := range map[string]struct {
		answer answer
		status sdk.Status
		detail string
		asked  int
	}{
		"prose": {func(w http.ResponseWriter, _ int, _ string) { say(w, "A fine text!") },
			sdk.Abstain, `"A fine text!"`, 1},
		"no completion": {text("<html>"), sdk.Fault, "no chat completion", 1},
		"no choices":    {text("{}"), sdk.Fault, "without choices", 1},
		"too long": {func(w http.ResponseWriter, _ int, _ string) { say(w, strings.Repeat("a", maxBody)) },
			sdk.Fault, "more than 1048576 bytes", 1},
		"bad request": {failing("no such model", 404), sdk.Fault, "404 Not Found: no such model", 1},
		"redirect": {func(w http.ResponseWriter, _ int, _ string) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, sdk.Fault, "307 Temporary Redirect", 1},
		"down":  {failing("down", 503), sdk.Fault, "503 Service Unavailable", 3},
		"drops": {func(http.ResponseWriter, int, string) { panic(http.ErrAbortHandler) }, sdk.Fault, "EOF", 3},
	} {
		e := answering(t, c.answer)
		j, _, _ := opened(t, e.URL, `, "retries": 2`)
		got := score(t, j, "Rest helps.")[0]
		if got.Status != c.status || !strings.Contains(got.Detail, c.detail) || e.asked() != c.asked {
			t.Errorf("%s: %d requests, %+v", name, e.asked(), got)
		}
	}
}

func TestBusyEndpointIsAskedAgainAfterGrowingWaits(t *testing.T) {
	e := answering(t, func(w http.ResponseWriter, n int, prompt string) {
		switch n {
		case 0, 1:
			http.Error(w, "slow down", http.StatusTooManyRequests)
		case 2:
			w.Header().Set("Retry-After", "30")
			http.Error(w, "slow down", http.StatusTooManyRequests)
		case 3:
			w.Header().Set("Retry-After", "86400")
			http.Error(w, "slow down", http.StatusServiceUnavailable)
		default:
			rating(4)(w, n, prompt)
		}
	})
	j, waits, h := opened(t, e.URL, `, "backoff": 0.5`)
	if got := score(t, j, "Rest helps.")[0]; got.Scores["quality"] != 4 {
		t.Errorf("%+v", got)
	}
	want := []time.Duration{500 * time.Millisecond, time.Second, 30 * time.Second, time.Minute}
	if diff := cmp.Diff(want, *waits); diff != "" {
		t.Errorf("waits, want (-), got (+):\n%s", diff)
	}
	if len(h.lines) != 4 || !strings.Contains(h.lines[0], "attempt 1 of 6") || !strings.Contains(h.lines[0], "429") {
		t.Errorf("logged %q", h.lines)
	}
}

func TestSlowEndpointIsAskedAgain(t *testing.T) {
	e := answering(t, func(w http.ResponseWriter, n int, prompt string) {
		if n == 0 {
			time.Sleep(150 * time.Millisecond)
		}
		rating(2)(w, n, prompt)
	})
	j, _, _ := opened(t, e.URL, `, "timeout": 0.05`)
	if got := score(t, j, "Rest helps.")[0]; got.Scores["quality"] != 2 || e.asked() != 3 {
		t.Errorf("%d requests, %+v", e.asked(), got)
	}
}

func TestSpendCapStopsAsking(t *testing.T) {
	for more, want := range map[string]string{
		`, "max_requests": 3`: "the spend cap is reached: max_requests",
		`, "max_tokens": 201`: "the spend cap is reached: max_tokens",
	} {
		e := answering(t, rating(4))
		j, _, _ := opened(t, e.URL, more)
		got := score(t, j, "one", "two", "three")
		if got[0].Status != sdk.OK || got[1].Status != sdk.Fault || got[2].Status != sdk.Fault ||
			!strings.Contains(got[1].Detail, want) || e.asked() != 3 {
			t.Errorf("%s: %d requests, %+v", more, e.asked(), got)
		}
	}
}

func TestEndpointThatCountsNoTokensIsCharged(t *testing.T) {
	r, err := decoded([]byte(`{"choices": [{"message": {"content": "Quality score: 3"}}]}`), 284)
	if err != nil || r.Tokens != 100 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestCancelledCallFails(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	e := answering(t, func(w http.ResponseWriter, n int, prompt string) {
		cancel()
		http.Error(w, "slow down", http.StatusTooManyRequests)
	})
	j, _, _ := opened(t, e.URL, "")
	if _, err := j.Score(ctx, []sdk.Document{{Text: "one"}, {Text: "two"}}); err == nil || e.asked() != 1 {
		t.Errorf("%d requests, error %v", e.asked(), err)
	}
}

func TestAnswersKeepTheirOrderWhenAskedAtOnce(t *testing.T) {
	e := answering(t, func(w http.ResponseWriter, n int, prompt string) {
		for v := range 6 {
			if strings.Contains(prompt, fmt.Sprintf("document %d.", v)) {
				time.Sleep(time.Duration(6-v) * time.Millisecond)
				say(w, fmt.Sprintf("Quality score: %d", v))
			}
		}
	})
	j, _, _ := opened(t, e.URL, "")
	j.Parallel = 6
	got := score(t, j, "document 0.", "document 1.", "document 2.", "document 3.", "document 4.", "document 5.")
	for i, r := range got {
		if r.Scores["quality"] != float64(i) {
			t.Errorf("document %d: %+v", i, r)
		}
	}
}

func TestAnswersAreComparedInBothOrders(t *testing.T) {
	// prefers answers with the one of the two numbers that it finds a word at.
	prefers := func(word string) func(http.ResponseWriter, int, string) {
		return func(w http.ResponseWriter, _ int, prompt string) {
			first, second, _ := strings.Cut(prompt[strings.Index(prompt, "### Answer 1"):], "### Answer 2")
			switch inFirst, inSecond := strings.Contains(first, word), strings.Contains(second, word); {
			case inFirst == inSecond:
				say(w, "Both are good.\nBetter answer: tie")
			case inFirst:
				say(w, "Better answer: **1**")
			default:
				say(w, "better answer: 2.")
			}
		}
	}
	always := func(text string) func(http.ResponseWriter, int, string) {
		return func(w http.ResponseWriter, _ int, _ string) { say(w, text) }
	}
	history := []sdk.Turn{{Role: sdk.RoleUser, Text: "What helps?"}}
	sample := sdk.Sample{History: history, Response: "rest", Reference: "water"}
	judged := func(o outcome, detail string) sdk.Judgement {
		parts := map[string]float64{"win": 0, "tie": 0, "loss": 0}
		parts[[]string{"loss", "tie", "win"}[o+1]] = 1
		return sdk.Judgement{Reward: []float64{0, 0.5, 1}[o+1], Parts: parts, Detail: detail}
	}
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, int, string)
		want   sdk.Judgement
	}{
		"win":      {prefers("rest"), judged(win, "win when first, win when second")},
		"loss":     {prefers("water"), judged(loss, "loss when first, loss when second")},
		"tie":      {prefers("sleep"), judged(tie, "tie when first, tie when second")},
		"position": {always("Better answer: 1"), judged(tie, "win when first, loss when second")},
		"garbage": {always("Both."), sdk.Judgement{Status: sdk.Abstain,
			Detail: `the judge's answer cannot be read: neither 1, 2 nor tie in "Both."`}},
	} {
		e := answering(t, c.answer)
		j, _, _ := opened(t, e.URL, "")
		got, err := j.Reward(context.Background(), []sdk.Sample{sample, {Response: "rest"}})
		if err != nil {
			t.Fatal(err)
		}
		want := []sdk.Judgement{c.want, {Status: sdk.Abstain, Detail: "there is no reference to compare with"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s", name, diff)
		}
		if !strings.Contains(e.prompts[0], "User: What helps?") {
			t.Errorf("%s: the prompt lacks the dialogue:\n%s", name, e.prompts[0])
		}
	}
}
