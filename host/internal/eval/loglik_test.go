package eval

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tensor"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

// bare is the toy tokenizer without tokens that begin or end a text.
func bare(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	dir := t.TempDir()
	if err := toyTokenizer(t).Save(dir); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"tokenizer_config.json", "special_tokens_map.json"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tok.BOS(); ok {
		t.Fatal("the tokenizer still has a token that begins a text")
	}
	return tok
}

// loglik asks for one likelihood.
func loglik(t testing.TB, s *Served, r sdk.LogLikRequest) sdk.LogLik {
	t.Helper()
	answers, err := s.LogLik(t.Context(), []sdk.LogLikRequest{r})
	if err != nil {
		t.Fatal(err)
	}
	return answers[0]
}

// sum is the log-probability of the last n of the tokens, each given all before it.
func sum(t testing.TB, s *Served, ids []int32, n int) float64 {
	t.Helper()
	in := model.Input{Tokens: ids, Offsets: []int32{0, int32(len(ids))}}
	nll := direct(t, s, func(tape *tensor.Tape) *tensor.Tensor {
		return s.model.TokenNLL(tape, s.model.Hidden(tape, in), append(slices.Clone(ids[1:]), -1))
	})
	total := 0.0
	for _, v := range nll[len(ids)-1-n : len(ids)-1] {
		total -= v
	}
	return total
}

func TestLogLikSumsTheContinuationsTokens(t *testing.T) {
	s := talker(t, 1)
	chat := []sdk.Turn{{Role: sdk.RoleSystem, Text: "Be brief."}, {Role: sdk.RoleUser, Text: "fever?"}}
	rendered, err := s.tok.Chat(chat, true)
	if err != nil {
		t.Fatal(err)
	}
	bos, _ := s.tok.BOS()
	for name, c := range map[string]struct {
		context []sdk.Turn
		before  []int32
		cont    string
	}{
		"raw text":     {raw("the patient has"), append([]int32{bos}, s.tok.Encode("the patient has")...), " fever"},
		"chat":         {chat, rendered, "rest and water"},
		"no context":   {nil, []int32{bos}, "the patient"},
		"empty text":   {raw(""), []int32{bos}, "病人发烧"},
		"no new token": {raw("the patient"), append([]int32{bos}, s.tok.Encode("the patient")...), ""},
	} {
		cont := s.tok.Encode(c.cont)
		got := loglik(t, s, sdk.LogLikRequest{Context: c.context, Continuation: c.cont})
		want := sdk.LogLik{LogProb: sum(t, s, slices.Concat(c.before, cont), len(cont)), Tokens: len(cont)}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// The texts that requests are drawn from; some make one request longer than the context.
var passages = []string{
	"", "fever", "the patient has a headache", "病人发烧咳嗽", " rest", "医生建议", strings.Repeat("water and rest ", 30),
}

func drawTurns(t *rapid.T, name string) []sdk.Turn {
	roles := []sdk.Role{sdk.RoleUser, sdk.RoleAssistant}
	switch rapid.IntRange(0, 2).Draw(t, name) {
	case 0:
		return nil
	case 1:
		return raw(rapid.SampledFrom(passages).Draw(t, name+" text"))
	}
	var turns []sdk.Turn
	for i := range rapid.IntRange(1, 3).Draw(t, name+" turns") {
		turns = append(turns, sdk.Turn{Role: roles[i%2], Text: rapid.SampledFrom(passages).Draw(t, name+" turn")})
	}
	return turns
}

func TestAnswersDoNotDependOnTheirBatch(t *testing.T) {
	s := talker(t, 1)
	rapid.Check(t, func(rt *rapid.T) {
		requests := make([]sdk.LogLikRequest, rapid.IntRange(1, 12).Draw(rt, "n"))
		alone := make([]sdk.LogLik, len(requests))
		order := make([]int, len(requests))
		for i := range requests {
			requests[i] = sdk.LogLikRequest{
				Context: drawTurns(rt, "context"), Context2: drawTurns(rt, "context2"),
				Continuation: rapid.SampledFrom(passages).Draw(rt, "continuation"),
			}
			alone[i], order[i] = loglik(t, s, requests[i]), i
		}
		order = rapid.Permutation(order).Draw(rt, "order")
		shuffled := make([]sdk.LogLikRequest, len(requests))
		want := make([]sdk.LogLik, len(requests))
		for to, from := range order {
			shuffled[to], want[to] = requests[from], alone[from]
		}
		got, err := s.LogLik(t.Context(), shuffled)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			rt.Fatalf("%v (-alone +together):\n%s", err, diff)
		}
	})
}

// So many requests that they do not fit one pass.
func TestRequestsOfSeveralPassesKeepTheirOrder(t *testing.T) {
	s := talker(t, 1)
	long := strings.Repeat("water and rest ", 30)
	n := 2*tokensPerBatch/contextLen + 3
	requests := make([]sdk.LogLikRequest, n)
	for i := range requests {
		requests[i] = sdk.LogLikRequest{Context: raw(long), Continuation: passages[1+i%5]}
	}
	got, err := s.LogLik(t.Context(), requests)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range requests[:5] {
		want := loglik(t, s, r)
		for j := i; j < n; j += 5 {
			if got[j] != want {
				t.Errorf("request %d: %+v, want %+v", j, got[j], want)
			}
		}
	}
}

func TestBothContextsScoreTheSameTokens(t *testing.T) {
	dev := openCPU(t)
	m := newModel(t, dev, toyConfig(toyTokenizer(t), 1), model.HeadLM, 1)
	history := raw("the patient has a headache")
	for name, c := range map[string]struct {
		tok             *tokenizer.Tokenizer
		context, second []sdk.Turn
		unscored        int // tokens of the continuation that serve as given
	}{
		"a text and none":               {toyTokenizer(t), history, []sdk.Turn{}, 0},
		"a chat and none":               {toyTokenizer(t), user("fever?"), []sdk.Turn{}, 0},
		"two texts":                     {bare(t), history, raw("fever"), 0},
		"a text and none, without BOS":  {bare(t), history, []sdk.Turn{}, 1},
		"none and a text, without BOS":  {bare(t), nil, history, 1},
		"none at all, without BOS":      {bare(t), nil, []sdk.Turn{}, 1},
		"an empty text without BOS":     {bare(t), raw(""), history, 1},
		"a chat and a text without BOS": {bare(t), user("fever?"), history, 0},
	} {
		s := serve(t, m, c.tok, dev)
		cont := c.tok.Encode(" and a cough")
		got := loglik(t, s, sdk.LogLikRequest{Context: c.context, Context2: c.second, Continuation: " and a cough"})
		want := sdk.LogLik{Tokens: len(cont) - c.unscored}
		for to, turns := range map[*float64][]sdk.Turn{&want.LogProb: c.context, &want.LogProb2: c.second} {
			before, err := s.context(turns)
			if err != nil {
				t.Fatal(err)
			}
			*to = sum(t, s, slices.Concat(before, cont), want.Tokens)
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestAnEmptyRequestBesideOthersIsZero(t *testing.T) {
	dev := openCPU(t)
	tok := bare(t)
	s := serve(t, newModel(t, dev, toyConfig(tok, 1), model.HeadLM, 1), tok, dev)
	other := sdk.LogLikRequest{Context: raw("the patient"), Continuation: " has fever"}
	got, err := s.LogLik(t.Context(), []sdk.LogLikRequest{{}, other, {Context2: raw("")}})
	want := []sdk.LogLik{{}, loglik(t, s, other), {}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestContextsLoseTheirOldestTokens(t *testing.T) {
	s := talker(t, 1)
	long := strings.Repeat("fever and cough. ", 20) + "the doctor advises"
	before, cont := s.tok.Encode(long), s.tok.Encode(" water and rest")
	newest := before[len(before)+len(cont)-contextLen:]
	got := loglik(t, s, sdk.LogLikRequest{Context: raw(long), Context2: raw("x"), Continuation: " water and rest"})
	if want := sum(t, s, slices.Concat(newest, cont), len(cont)); got.LogProb != want || got.Tokens != len(cont) {
		t.Errorf("%+v, want log-probability %g of %d tokens", got, want, len(cont))
	}
}

func TestContinuationsAreCutEquallyUnderBothContexts(t *testing.T) {
	s := talker(t, 1)
	long := strings.Repeat("water and rest. ", 30)
	history := strings.Repeat("fever and cough. ", 30)
	got := loglik(t, s, sdk.LogLikRequest{Context: raw(history), Context2: raw(""), Continuation: long})
	cont := s.tok.Encode(long)[:contextLen*3/4]
	before := s.tok.Encode(history)
	bos, _ := s.tok.BOS()
	want := sdk.LogLik{
		LogProb:  sum(t, s, slices.Concat(before[len(before)+len(cont)-contextLen:], cont), len(cont)),
		LogProb2: sum(t, s, slices.Concat([]int32{bos}, cont), len(cont)),
		Tokens:   len(cont),
	}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestARequestThatCannotBeRenderedIsNamed(t *testing.T) {
	s := talker(t, 1)
	bad := []sdk.Turn{{Role: "narrator", Text: "once"}}
	for name, r := range map[string]sdk.LogLikRequest{"context": {Context: bad}, "context2": {Context2: bad}} {
		_, err := s.LogLik(t.Context(), []sdk.LogLikRequest{{Continuation: "fine"}, r})
		if err == nil || !strings.Contains(err.Error(), `request 1: chat: turn 0: role "narrator"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUniformLikelihoodsAreThoseOfTheVocabulary(t *testing.T) {
	s := uniform(t)
	got := loglik(t, s, sdk.LogLikRequest{Context: user("fever?"), Continuation: "water and rest"})
	want := -float64(got.Tokens) * math.Log(float64(s.tok.Size()))
	if got.Tokens == 0 || math.Abs(got.LogProb-want) > 1e-4 {
		t.Errorf("%+v, want log-probability %g", got, want)
	}
}
