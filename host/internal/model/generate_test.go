package model

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// talker is a language model whose answers vary, and prompts of many lengths.
func talker(t *testing.T) (*Model, [][]int32) { return talkerOf(t, Llama) }

func talkerOf(t *testing.T, modelType string) (*Model, [][]int32) {
	return talkerOn(t, openCPU(t), modelType)
}

func talkerOn(t *testing.T, dev accelerators.Device, modelType string, opts ...Option) (*Model, [][]int32) {
	c := tiny(modelType)
	c.InitializerRange, c.TieWordEmbeddings = 0.5, false
	m := mustNew(t, dev, c, HeadLM, append(opts, Frozen())...)
	random := rand.New(rand.NewPCG(1, 1))
	var prompts [][]int32
	for n := range 8 {
		prompts = append(prompts, randomInput(random, c.VocabSize, 1+3*n).Tokens)
	}
	return m, prompts
}

func generate(t *testing.T, m *Model, prompts [][]int32, g Generation) [][]int32 {
	t.Helper()
	answers, err := m.Generate(t.Context(), prompts, g, nil)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// recompute generates greedily by a whole forward pass for each token.
func recompute(t *testing.T, m *Model, prompt []int32, n int) []int32 {
	t.Helper()
	tokens := slices.Clone(prompt)
	for range n {
		logits := nextLogits(t, m, tokens)
		tokens = append(tokens, int32(slices.Index(logits, slices.Max(logits))))
	}
	return tokens[len(prompt):]
}

// nextLogits are those after the last token, by a whole forward pass.
func nextLogits(t *testing.T, m *Model, tokens []int32) []float32 {
	t.Helper()
	in := Input{Tokens: tokens, Offsets: []int32{0, int32(len(tokens))}}
	return forward(t, m, func(tape *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
		return tape.Scores(tape.Gather(x, tape.Ints(m.readRows(in.Offsets))), m.ends.lm, nil)
	}, in)
}

func TestGenerationWithTheCacheEqualsWholeForwardPasses(t *testing.T) {
	for _, modelType := range modelTypes() {
		if architectures[modelType].decoder {
			t.Run(modelType, func(t *testing.T) { testCachedGeneration(t, modelType) })
		}
	}
}

func testCachedGeneration(t *testing.T, modelType string) {
	m, prompts := talkerOf(t, modelType)
	got := generate(t, m, prompts, Generation{MaxTokens: 12, Stop: []int32{}})
	kinds := map[int32]bool{}
	for i, p := range prompts {
		if diff := cmp.Diff(recompute(t, m, p, 12), got[i]); diff != "" {
			t.Errorf("prompt %d (-recomputed +generated):\n%s", i, diff)
		}
		for _, id := range got[i] {
			kinds[id] = true
		}
	}
	if len(kinds) < 8 {
		t.Errorf("only the tokens %v were generated; the test shows little", kinds)
	}
}

func TestAnAnswerDoesNotDependOnTheOtherPrompts(t *testing.T) {
	m, prompts := talker(t)
	greedy, sampled := Generation{MaxTokens: 10}, Generation{MaxTokens: 10, Temperature: 1, TopK: 20, TopP: 0.95, Seed: 3}
	together := generate(t, m, prompts, greedy)
	for i, p := range prompts {
		if diff := cmp.Diff(together[i], generate(t, m, [][]int32{p}, greedy)[0]); diff != "" {
			t.Errorf("prompt %d (-in a batch +alone):\n%s", i, diff)
		}
	}
	drawn := generate(t, m, prompts, sampled)
	if diff := cmp.Diff(drawn[:3], generate(t, m, prompts[:3], sampled)); diff != "" {
		t.Errorf("sampled (-of eight +of three):\n%s", diff)
	}
	rest := sampled
	rest.First = 3
	if diff := cmp.Diff(drawn[3:], generate(t, m, prompts[3:], rest)); diff != "" {
		t.Errorf("sampled (-the last five of eight +in a call of their own):\n%s", diff)
	}
	same := generate(t, m, [][]int32{prompts[0], prompts[0]}, sampled)
	if slices.Equal(same[0], same[1]) {
		t.Error("two samples of one prompt are the same")
	}
	sampled.Seed++
	if cmp.Equal(drawn, generate(t, m, prompts, sampled)) {
		t.Error("another seed gives the same answers")
	}
}

func TestGenerationEndsAtStopTokensLengthAndContext(t *testing.T) {
	m, prompts := talker(t)
	free := generate(t, m, prompts, Generation{MaxTokens: 100, Stop: []int32{}})
	for i, a := range free {
		if want := m.cfg.Context() - len(prompts[i]); len(a) != want {
			t.Errorf("answer %d has %d tokens, the context has room for %d", i, len(a), want)
		}
	}
	stop := free[1][4]
	m.cfg.EosTokenID = TokenIDs{stop}
	for i, a := range generate(t, m, prompts, Generation{MaxTokens: 100}) {
		want := free[i]
		if at := slices.Index(want, stop); at >= 0 {
			want = want[:at+1]
		}
		if diff := cmp.Diff(want, a); diff != "" {
			t.Errorf("answer %d should end with the stop token:\n%s", i, diff)
		}
	}
}

func TestEveryTokenIsReportedAndCancellingKeepsWhatIsThere(t *testing.T) {
	m, prompts := talker(t)
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	reported := make([][]int32, len(prompts))
	answers, err := m.Generate(ctx, prompts, Generation{MaxTokens: 10, Stop: []int32{}}, func(seq int, id int32) {
		if reported[seq] = append(reported[seq], id); len(reported[seq]) == 4 {
			cancel(reason)
		}
	})
	if !errors.Is(err, reason) {
		t.Errorf("Generate says %v", err)
	}
	if diff := cmp.Diff(answers, reported); diff != "" || len(answers[0]) != 4 {
		t.Errorf("(-answers +reported):\n%s", diff)
	}
	if m.arena.Lent() != 0 {
		t.Errorf("%d bytes were not given back", m.arena.Lent())
	}
}

func TestPromptsThatCannotBeContinuedAreErrors(t *testing.T) {
	m, _ := talker(t)
	reward := mustNew(t, m.dev, tiny(Llama), HeadClassify)
	for _, c := range []struct {
		want    string
		m       *Model
		prompts [][]int32
		tokens  int
	}{
		{"prompt 1: the prompt has 0 tokens; it needs 1 to 39", m, [][]int32{{1}, {}}, 1},
		{"prompt 0: the prompt has 40 tokens", m, [][]int32{make([]int32, 40)}, 1},
		{"0 new tokens", m, [][]int32{{1}}, 0},
		{"prompt 0: token 0 has id 99", m, [][]int32{{99}}, 1},
		{"a llama with head classify is no language model", reward, [][]int32{{1}}, 1},
	} {
		_, err := c.m.Generate(t.Context(), c.prompts, Generation{MaxTokens: c.tokens}, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Generate says %v, want %s", err, c.want)
		}
	}
}

func TestMorePromptsThanRunTogether(t *testing.T) {
	m, _ := talker(t)
	prompts := make([][]int32, mostRunning+3)
	for i := range prompts {
		prompts[i] = []int32{int32(i) % 31}
	}
	answers := generate(t, m, prompts, Generation{MaxTokens: 2, Stop: []int32{}})
	for i := 31; i < len(prompts); i++ {
		if !slices.Equal(answers[i], answers[i-31]) {
			t.Errorf("answers %d and %d differ", i, i-31)
		}
	}
	same := slices.Repeat([][]int32{slices.Repeat([]int32{7}, 20)}, 40) // more than one pass over the prompts
	drawn := generate(t, m, same, Generation{MaxTokens: 1, Temperature: 1})
	second := promptTokens / 20
	if slices.EqualFunc(drawn[:len(same)-second], drawn[second:], slices.Equal[[]int32]) {
		t.Error("sequences of two passes draw the same random numbers")
	}
}

func TestTheCacheHoldsAllPromptsOrItsBudget(t *testing.T) {
	m, _ := talker(t)
	prompts := [][]int32{make([]int32, 1), make([]int32, 30), make([]int32, 39)}
	if pages := m.pagesFor(prompts, 5); pages != 1+2+2+3 {
		t.Errorf("three prompts get %d pages", pages)
	}
	m.decoder.heads.Dim = 1 << 22 // as if the model were huge
	if pages := m.pagesFor(slices.Repeat(prompts, 100), 5); pages != 2 {
		t.Errorf("the prompts of a huge model get %d pages", pages)
	}
}
