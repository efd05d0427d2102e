package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

func asking(text string, more object) object {
	all := object{"model": "toy", "messages": question(text), "max_tokens": 24}
	for name, value := range more {
		all[name] = value
	}
	return all
}

func TestAnswersDoNotDependOnWhatElseIsAsked(t *testing.T) {
	s := newSite(t, nil)
	var asks []object
	for i := range 12 {
		more := object{"seed": i, "temperature": float64(i%3) / 2, "n": 1 + i%2}
		asks = append(asks, asking(strings.Repeat("fever ", 1+3*i), more))
	}
	var alone []chatReply
	for _, one := range asks {
		alone = append(alone, want[chatReply](s, "/v1/chat/completions", one))
	}
	crowd := make([]chatReply, len(asks))
	var all sync.WaitGroup
	for i, one := range asks {
		all.Go(func() { crowd[i] = want[chatReply](s, "/v1/chat/completions", one) })
	}
	all.Wait()
	for i := range asks {
		if a, b := contents(alone[i]), contents(crowd[i]); !slices.Equal(a, b) {
			t.Errorf("request %d is answered %q alone and %q in a crowd", i, a, b)
		}
	}
	if two := contents(alone[1]); two[0] == two[1] {
		t.Errorf("two choices are the same: %q", two)
	}
}

func contents(r chatReply) (all []string) {
	for _, c := range r.Choices {
		all = append(all, *c.Message.Content)
	}
	return all
}

// stream returns the events of a streamed answer, without the last, which must be [DONE].
func stream(s *site, path string, body object) (events []object) {
	s.t.Helper()
	body = maps.Clone(body)
	body["stream"] = true
	status, raw := s.post(path, body)
	if status != http.StatusOK {
		s.t.Fatalf("status %d: %s", status, raw)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	done := false
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		switch {
		case lines.Text() == "":
		case !ok || done:
			s.t.Fatalf("unexpected line %q", lines.Text())
		case data == "[DONE]":
			done = true
		default:
			var e object
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				s.t.Fatal(err)
			}
			events = append(events, e)
		}
	}
	if !done {
		s.t.Errorf("the stream does not end: %s", raw)
	}
	return events
}

func TestAStreamSaysWhatAWholeAnswerSays(t *testing.T) {
	s := newSite(t, nil)
	for seed := range 5 {
		body := asking("发烧", object{"seed": seed, "n": 2, "logprobs": true, "max_tokens": 60})
		whole := want[chatReply](s, "/v1/chat/completions", body)
		body["stream_options"] = object{"include_usage": true}
		text, finish, chances := make([]string, 2), make([]any, 2), make([]int, 2)
		var last object
		for _, e := range stream(s, "/v1/chat/completions", body) {
			last = e
			for _, raw := range e["choices"].([]any) {
				c := raw.(object)
				i := int(c["index"].(float64))
				piece, _ := c["delta"].(object)["content"].(string)
				if !utf8.ValidString(piece) {
					t.Errorf("a piece %q splits a character", piece)
				}
				text[i] += piece
				if c["finish_reason"] != nil {
					finish[i] = c["finish_reason"]
				}
				if l, ok := c["logprobs"].(object); ok {
					chances[i] += len(l["content"].([]any))
				}
			}
		}
		if !slices.Equal(text, contents(whole)) {
			t.Errorf("streamed %q, whole %q", text, contents(whole))
		}
		for i, c := range whole.Choices {
			if finish[i] != string(*c.Finish) || chances[i] != len(c.LogProbs.Content) {
				t.Errorf("choice %d ends with %v after %d tokens, whole with %v after %d",
					i, finish[i], chances[i], *c.Finish, len(c.LogProbs.Content))
			}
		}
		u := last["usage"].(object)
		if n := whole.Usage; u["completion_tokens"] != float64(n.Completion) || u["total_tokens"] != float64(n.Total) {
			t.Errorf("the stream counts %v, the whole %+v", u, whole.Usage)
		}
	}
}

func TestAnswersEndBeforeStopStrings(t *testing.T) {
	s := newSite(t, nil)
	body := asking("fever", object{"seed": 1, "max_tokens": 40})
	free := *want[chatReply](s, "/v1/chat/completions", body).Choices[0].Message.Content
	runes := []rune(free)
	stop := string(runes[8:12])
	at := strings.Index(free, stop)
	body["stop"] = []string{"never said", stop}
	got := want[chatReply](s, "/v1/chat/completions", body)
	if text := *got.Choices[0].Message.Content; text != free[:at] || *got.Choices[0].Finish != "stop" {
		t.Errorf("before %q in %q comes %q, and it ends with %s", stop, free, text, *got.Choices[0].Finish)
	}
	text := ""
	for _, e := range stream(s, "/v1/chat/completions", body) {
		piece, _ := e["choices"].([]any)[0].(object)["delta"].(object)["content"].(string)
		text += piece
	}
	if text != free[:at] {
		t.Errorf("streamed %q, want %q", text, free[:at])
	}
	body["stop"] = free[len(free)-1:] + "more"
	if *want[chatReply](s, "/v1/chat/completions", body).Choices[0].Message.Content != free {
		t.Error("text that only began a stop string was lost")
	}
}

func TestLogProbabilities(t *testing.T) {
	s := newSite(t, nil)
	body := asking("fever", object{"temperature": 0, "logprobs": true, "top_logprobs": 3})
	r := want[chatReply](s, "/v1/chat/completions", body)
	for i, c := range r.Choices[0].LogProbs.Content {
		if len(c.Top) != 3 || c.Top[0].LogProb != c.LogProb || c.Top[0].Token != c.Token || c.LogProb > 0 {
			t.Errorf("token %d, the likeliest, is told as %+v", i, c)
		}
	}
	text := want[textReply](s, "/v1/completions",
		object{"model": "toy", "prompt": "the patient", "logprobs": 2, "temperature": 0})
	l := text.Choices[0].LogProbs
	n := text.Usage.Completion
	if *text.Choices[0].Finish == "stop" {
		n--
	}
	if len(l.Tokens) != n || len(l.Chances) != n || len(l.Top) != n || l.Offsets[0] != 0 {
		t.Errorf("a completion of %d tokens has %+v", n, l)
	}
	for i, top := range l.Top {
		if len(top) != 2 || slices.Max(slices.Collect(maps.Values(top))) != l.Chances[i] {
			t.Errorf("token %d of log-probability %v has the alternatives %v", i, l.Chances[i], top)
		}
	}
}

func completion(prompt any) object {
	return object{"model": "toy", "prompt": prompt, "temperature": 0, "max_tokens": 5}
}

func TestCompletionsTakePromptsOfAllForms(t *testing.T) {
	s := newSite(t, nil)
	tok, _ := toyTokenizer()
	ids := s.model("toy").opening("the patient has")
	if bos, _ := tok.BOS(); ids[0] != bos || ids[1] == bos {
		t.Errorf("a prompt begins with %v", ids[:2])
	}
	reply := func(prompt any) textReply {
		return want[textReply](s, "/v1/completions", completion(prompt))
	}
	text := reply("the patient has")
	for _, other := range []any{[]string{"the patient has"}, ids, [][]int32{ids}} {
		if got := reply(other); got.Choices[0].Text != text.Choices[0].Text || *got.Usage != *text.Usage {
			t.Errorf("prompt %v: %+v, want %+v", other, got, text)
		}
	}
	two := reply([]string{"the patient has", "a cough"})
	if len(two.Choices) != 2 || two.Choices[0].Text != text.Choices[0].Text {
		t.Errorf("two prompts: %+v", two)
	}
	pieces := ""
	for _, e := range stream(s, "/v1/completions", completion(ids)) {
		pieces += e["choices"].([]any)[0].(object)["text"].(string)
	}
	if pieces != text.Choices[0].Text {
		t.Errorf("streamed %q, whole %q", pieces, text.Choices[0].Text)
	}
}

func TestEmbeddingsInBothForms(t *testing.T) {
	s := newSite(t, nil)
	for _, name := range []string{"toy", "rater"} {
		type list struct {
			Data []struct{ Embedding json.RawMessage }
		}
		texts := []string{"a fever", "发烧"}
		plain := want[list](s, "/v1/embeddings", object{"model": name, "input": texts})
		coded := want[list](s, "/v1/embeddings", object{"model": name, "input": texts, "encoding_format": "base64"})
		expected, err := s.model(name).asked.Embed(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range expected {
			var numbers []float64
			var text string
			if json.Unmarshal(plain.Data[i].Embedding, &numbers) != nil || !slices.Equal(numbers, row) {
				t.Errorf("%s: %q has another embedding", name, texts[i])
			}
			json.Unmarshal(coded.Data[i].Embedding, &text)
			raw, _ := base64.StdEncoding.DecodeString(text)
			for j, v := range row {
				if got := math.Float32frombits(binary.LittleEndian.Uint32(raw[4*j:])); float64(got) != v {
					t.Fatalf("%s: number %d of %q is %v in base64, want %v", name, j, texts[i], got, v)
				}
			}
		}
	}
}

func TestScoresOfTextsDialoguesAndPairs(t *testing.T) {
	s := newSite(t, nil)
	type list struct{ Data []score }
	talk := []object{{"role": "user", "content": "fever?"}, {"role": "assistant", "content": "rest"}}
	byMessages := want[list](s, "/v1/score", object{"model": "rater", "messages": talk})
	byList := want[list](s, "/v1/score", object{"model": "rater", "messages": [][]object{talk, talk}})
	byPair := want[list](s, "/v1/score", object{"model": "rater", "pairs": [][]string{{"fever?", "rest"}}})
	byText := want[list](s, "/v1/score", object{"model": "rater", "input": "fever?"})
	one := byMessages.Data[0]
	if len(one.Scores) != 2 || one.Score != one.Scores[0] {
		t.Errorf("a head of two outputs says %+v", one)
	}
	if len(byList.Data) != 2 || byList.Data[1].Score != one.Score {
		t.Errorf("scores %+v and %+v", byMessages, byList)
	}
	if byPair.Data[0].Score != one.Score || byText.Data[0].Score == one.Score {
		t.Errorf("the pair has %v, the dialogue %v, a text %v", byPair.Data[0].Score, one.Score, byText.Data[0].Score)
	}
}

func TestRefusalsNameWhatIsWrong(t *testing.T) {
	s := newSite(t, nil)
	long := strings.Repeat("fever ", 2000)
	picture := []object{{"role": "user", "content": []object{{"type": "image_url"}}}}
	for _, c := range []struct {
		path  string
		body  object
		code  int
		param string
		says  string
	}{
		{"chat/completions", asking("x", object{"frequency_penalty": 0.5}), 400, "frequency_penalty", "not supported"},
		{"chat/completions", asking("x", object{"response_format": object{"type": "json"}}), 400, "response_format", ""},
		{"chat/completions", asking("x", object{"reasoning_effort": "high"}), 400, "reasoning_effort", ""},
		{"chat/completions", asking("x", object{"tool_choice": "required"}), 400, "tool_choice", ""},
		{"chat/completions", asking("x", object{"temperature": 3}), 400, "temperature", "0 to 2"},
		{"chat/completions", asking("x", object{"temperature": "hot"}), 400, "temperature", "no number"},
		{"chat/completions", asking("x", object{"n": 0}), 400, "n", ""},
		{"chat/completions", asking("x", object{"max_tokens": 0}), 400, "max_tokens", ""},
		{"chat/completions", asking("x", object{"stop": ""}), 400, "stop", ""},
		{"chat/completions", asking("x", object{"top_logprobs": 2}), 400, "top_logprobs", ""},
		{"chat/completions", asking("x", object{"messages": []object{}}), 400, "messages", ""},
		{"chat/completions", asking("x", object{"messages": []object{{"content": "x"}}}), 400, "messages", "no role"},
		{"chat/completions", asking("x", object{"messages": picture}), 400, "messages", "image_url"},
		{"chat/completions", asking("x", object{"tools": []object{{"type": "a"}}}), 400, "messages", "takes no tools"},
		{"chat/completions", asking(long, nil), 400, "messages", "the model has room for 300"},
		{"chat/completions", asking("x", object{"max_tokens": 400}), 400, "messages", "asks for 400"},
		{"chat/completions", asking("x", object{"model": "nobody"}), 404, "model", "nobody"},
		{"chat/completions", asking("x", object{"model": "rater"}), 400, "model", "no language model"},
		{"completions", object{"model": "toy", "prompt": "x", "echo": true}, 400, "echo", ""},
		{"completions", object{"model": "toy"}, 400, "prompt", "missing"},
		{"completions", object{"model": "toy", "prompt": []int{5, 5000}}, 400, "prompt", "id 5000"},
		{"embeddings", object{"model": "toy", "input": "x", "dimensions": 3}, 400, "dimensions", ""},
		{"embeddings", object{"model": "toy", "input": long}, 400, "input", "reads 1 to 300"},
		{"score", object{"model": "toy", "input": "x"}, 400, "model", "no head"},
		{"score", object{"model": "rater"}, 400, "input", "one of"},
	} {
		status, raw := s.post("/v1/"+c.path, c.body)
		var got struct {
			Error struct{ Message, Type, Param string }
		}
		if err := json.Unmarshal(raw, &got); err != nil || got.Error.Type == "" {
			t.Fatalf("%s: %s", c.path, raw)
		}
		if status != c.code || got.Error.Param != c.param || !strings.Contains(got.Error.Message, c.says) {
			t.Errorf("%s %v: %d %s, want %d for %s with %q", c.path, c.param, status, raw, c.code, c.param, c.says)
		}
	}
	ok := asking("x", object{
		"user": "me", "metadata": object{"a": "b"}, "frequency_penalty": 0, "logit_bias": object{}, "stop": nil,
		"response_format": object{"type": "text"}, "store": false,
	})
	if status, raw := s.post("/v1/chat/completions", ok); status != http.StatusOK {
		t.Errorf("harmless parameters: %s", raw)
	}
}

func TestWhoMayAsk(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Token = "secret" })
	get := func(path string, change func(*http.Request)) int {
		status, _ := s.send(http.MethodGet, path, nil, change)
		return status
	}
	bear := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", token) }
	}
	for _, c := range []struct {
		what string
		got  int
		want int
	}{
		{"no token", get("/v1/models", nil), 401},
		{"a wrong token", get("/v1/models", bear("Bearer secre")), 401},
		{"another scheme", get("/v1/models", bear("Basic secret")), 401},
		{"the token", get("/v1/models", bear("Bearer secret")), 200},
		{"metrics without it", get("/metrics", nil), 401},
		{"health without it", get("/health", nil), 200},
		{"the page without it", get("/", nil), 200},
		{"another host's name", get("/health", func(r *http.Request) { r.Host = "evil.example" }), 403},
		{"this host by its name", get("/health", func(r *http.Request) { r.Host = "localhost:1" }), 200},
		{"nothing there", get("/nothing", nil), 404},
	} {
		if c.got != c.want {
			t.Errorf("%s: status %d, want %d", c.what, c.got, c.want)
		}
	}
	status, _ := s.send(http.MethodPost, "/v1/score", []byte("{}"), func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer secret")
		r.Header.Set("Content-Type", "text/plain")
	})
	if status != http.StatusUnsupportedMediaType {
		t.Errorf("a form of another site's page: status %d", status)
	}
	status, _ = s.send(http.MethodPost, "/v1/score", []byte("{}"), func(r *http.Request) {
		r.Header.Set("Origin", "https://evil.example")
	})
	if status != http.StatusForbidden {
		t.Errorf("a script of another site's page: status %d", status)
	}
}

func TestAnotherAddressNeedsAToken(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "example.org:0"} {
		if _, err := Listen(address, ""); err == nil || !strings.Contains(err.Error(), "token") {
			t.Errorf("%s without a token: %v", address, err)
		}
	}
	for _, c := range [][2]string{{"127.0.0.1:0", ""}, {"localhost:0", ""}, {"0.0.0.0:0", "secret"}} {
		l, err := Listen(c[0], c[1])
		if err != nil {
			t.Errorf("%s: %v", c[0], err)
			continue
		}
		l.Close()
	}
}

func TestLimits(t *testing.T) {
	s := newSite(t, func(o *Options) { o.Queue = 2 })
	status, raw := s.post("/v1/chat/completions", asking("x", object{"n": 3}))
	if status != http.StatusTooManyRequests {
		t.Errorf("three answers where two may be: %d %s", status, raw)
	}
	status, _ = s.send(http.MethodPost, "/v1/score", slices.Repeat([]byte(" "), bodyLimit+1), nil)
	if status != http.StatusRequestEntityTooLarge {
		t.Errorf("a body beyond the limit: status %d", status)
	}
	slow := newSite(t, func(o *Options) { o.Timeout = time.Nanosecond })
	if status, raw := slow.post("/v1/chat/completions", asking("x", nil)); status != http.StatusGatewayTimeout {
		t.Errorf("a request without time: %d %s", status, raw)
	}
}

// quiet waits until nothing grows.
func (s *site) quiet() {
	s.t.Helper()
	for range 1000 {
		if u := s.model("toy").grows.load(); u.Running+u.Waiting+u.PagesUsed == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Errorf("sequences stay: %+v", s.model("toy").grows.load())
}

func TestAnswersEndWithTheirClients(t *testing.T) {
	s := newSite(t, nil)
	for range 3 {
		ctx, cancel := context.WithCancel(t.Context())
		body, _ := json.Marshal(asking("x", object{"stream": true, "max_tokens": 250, "n": 8}))
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/chat/completions", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Read(make([]byte, 10))
		cancel()
		response.Body.Close()
	}
	s.quiet()
}

func TestMetricsAndModels(t *testing.T) {
	s := newSite(t, nil)
	r := want[chatReply](s, "/v1/chat/completions", asking("x", nil))
	s.quiet()
	_, raw := s.send(http.MethodGet, "/metrics", nil, nil)
	for _, line := range []string{
		`carebot_requests_total{code="200",route="POST /v1/chat/completions"} 1`,
		fmt.Sprintf(`carebot_generated_tokens_total{model="toy"} %d`, r.Usage.Completion),
		fmt.Sprintf(`carebot_prompt_tokens_total{model="toy"} %d`, r.Usage.Prompt),
		`carebot_cache_pages_used{model="toy"} 0`, `carebot_sequences_running{model="other"} 0`,
		`carebot_first_token_seconds_count{model="toy"} 1`, `carebot_batch_sequences_bucket{model="toy",le="1"}`,
	} {
		if !strings.Contains(string(raw), line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	_, raw = s.send(http.MethodGet, "/v1/models", nil, nil)
	for _, name := range []string{`"id":"toy"`, `"id":"other"`, `"id":"rater"`} {
		if !strings.Contains(string(raw), name) {
			t.Errorf("the models are %s", raw)
		}
	}
	if status, _ := s.send(http.MethodGet, "/v1/models/other", nil, nil); status != http.StatusOK {
		t.Errorf("a model has status %d", status)
	}
}

func TestAServerDrains(t *testing.T) {
	s := newSite(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	s.url = "http://" + l.Addr().String()
	answered := make(chan int, 1)
	begun := make(chan struct{})
	go func() {
		body, _ := json.Marshal(asking("x", object{"stream": true, "max_tokens": 200}))
		r, _ := http.NewRequest(http.MethodPost, s.url+"/v1/chat/completions", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(r)
		close(begun)
		if err != nil {
			answered <- 0
			return
		}
		defer response.Body.Close()
		var all bytes.Buffer
		all.ReadFrom(response.Body)
		answered <- strings.Count(all.String(), "[DONE]")
	}()
	<-begun
	reason := errors.New("enough")
	cancel(reason)
	if n := <-answered; n != 1 {
		t.Error("the answer under way was broken off")
	}
	if err := <-ended; !errors.Is(err, reason) {
		t.Errorf("the server ends with %v", err)
	}
}

func TestModelsOfOneNameAreRefused(t *testing.T) {
	all := toys(t)
	all[1].Name = "toy"
	if _, err := New(all, Options{Cache: 1 << 20}); err == nil || !strings.Contains(err.Error(), "NAME=DIRECTORY") {
		t.Errorf("two models of one name: %v", err)
	}
}
