package model

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// A crowd is sequences with settings of all kinds.
func crowd(prompts [][]int32) []*Sequence {
	var all []*Sequence
	for i, p := range prompts {
		s := &Sequence{Prompt: p, MaxTokens: 3 + 4*i, Stop: []int32{}, Seed: uint64(i), Number: i}
		if i%2 == 1 {
			s.Temperature, s.TopK, s.TopP = 0.5+float32(i)/4, 5*i, 0.9
		}
		if i%3 == 0 {
			s.LogProbs, s.Top = true, 2
		}
		all = append(all, s)
	}
	return all
}

// collect makes a sequence keep what comes.
func collect(s *Sequence) *[]Token {
	var tokens []Token
	s.Each = func(t Token) bool {
		tokens = append(tokens, t)
		return true
	}
	return &tokens
}

func engine(t *testing.T, m *Model, pages int) *Engine {
	t.Helper()
	e, err := m.NewEngine(pages)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func add(t *testing.T, e *Engine, s *Sequence) {
	t.Helper()
	if err := e.Add(s); err != nil {
		t.Fatal(err)
	}
}

func step(t *testing.T, e *Engine) {
	t.Helper()
	if err := e.Step(); err != nil {
		t.Fatal(err)
	}
}

// finish steps until there is nothing to do and wants all pages back.
func finish(t *testing.T, e *Engine) {
	t.Helper()
	for steps := 0; !e.Idle(); steps++ {
		if steps > 10000 {
			t.Fatalf("the engine does not come to an end: %+v", e.Usage())
		}
		step(t, e)
	}
	if u := e.Usage(); u.PagesUsed != 0 {
		t.Errorf("an idle engine uses %d pages", u.PagesUsed)
	}
}

// alone are the tokens of each sequence in an engine of its own.
func alone(t *testing.T, m *Model, prompts [][]int32) [][]Token {
	t.Helper()
	var all [][]Token
	for _, s := range crowd(prompts) {
		e := engine(t, m, 4)
		tokens := collect(s)
		add(t, e, s)
		finish(t, e)
		all = append(all, *tokens)
	}
	return all
}

func TestASequenceHasTheSameTokensAloneAndInACrowd(t *testing.T) {
	for _, modelType := range modelTypes() {
		if architectures[modelType].decoder {
			t.Run(modelType, func(t *testing.T) { testCrowd(t, modelType) })
		}
	}
}

func testCrowd(t *testing.T, modelType string) {
	m, prompts := talkerOf(t, modelType)
	want := alone(t, m, prompts)
	for _, pages := range []int{2, 3, 20} {
		e := engine(t, m, pages)
		var got []*[]Token
		for i, s := range crowd(prompts) {
			got = append(got, collect(s))
			add(t, e, s)
			for range i % 3 { // some join later
				step(t, e)
			}
		}
		finish(t, e)
		for i := range got {
			if diff := cmp.Diff(want[i], *got[i]); diff != "" {
				t.Errorf("%d pages, sequence %d (-alone +in a crowd):\n%s", pages, i, diff)
			}
		}
	}
}

func TestSequencesThatAreSentBackGoOnWithTheSameBits(t *testing.T) {
	m, _ := talker(t)
	m.cfg.MaxPositionEmbeddings = 400
	random := rand.New(rand.NewPCG(2, 2))
	var prompts [][]int32
	for range 6 {
		prompts = append(prompts, randomInput(random, m.cfg.VocabSize, 60).Tokens)
	}
	run := func(pages int) (all [][]Token, preempted int) {
		e := engine(t, m, pages)
		var got []*[]Token
		for i, p := range prompts {
			s := &Sequence{Prompt: p, MaxTokens: 200, Stop: []int32{}, Temperature: float32(i % 2), LogProbs: true}
			got = append(got, collect(s))
			add(t, e, s)
		}
		finish(t, e)
		for _, tokens := range got {
			all = append(all, *tokens)
		}
		return all, e.Usage().Preempted
	}
	want, none := run(100)
	got, some := run(20)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-with room for all +without):\n%s", diff)
	}
	if none != 0 || some == 0 {
		t.Errorf("%d sequences went back in a large cache, %d in a small one", none, some)
	}
}

func TestLongPromptsComeInPiecesBetweenTokensOfOthers(t *testing.T) {
	m, _ := talker(t)
	m.cfg.MaxPositionEmbeddings = 4 * promptTokens
	e := engine(t, m, 100)
	both := crowd([][]int32{{1}, make([]int32, 3*promptTokens)})
	short, long := both[0], both[1]
	short.MaxTokens = 20
	grows, comes := collect(short), collect(long)
	add(t, e, short)
	step(t, e)
	add(t, e, long)
	for range 3 {
		if len(*comes) > 0 {
			t.Error("a prompt of three pieces is answered too early")
		}
		before := len(*grows)
		step(t, e)
		if len(*grows) != before+1 {
			t.Errorf("a step took the other from %d to %d tokens", before, len(*grows))
		}
	}
	if len(*comes) != 1 {
		t.Errorf("after three steps the long prompt has %d tokens", len(*comes))
	}
}

func TestLogProbabilitiesAreThoseOfTheModel(t *testing.T) {
	m, prompts := talker(t)
	s := &Sequence{Prompt: prompts[3], MaxTokens: 6, Temperature: 2, LogProbs: true, Top: 3, Stop: []int32{}}
	tokens := collect(s)
	e := engine(t, m, 4)
	add(t, e, s)
	finish(t, e)
	ids := slices.Clone(prompts[3])
	for n, token := range *tokens {
		ids = append(ids, token.ID)
		targets := slices.Repeat([]int32{-1}, len(ids)-1)
		targets[len(targets)-1] = token.ID
		in := Input{Tokens: ids[:len(ids)-1], Offsets: []int32{0, int32(len(ids) - 1)}}
		nll := forward(t, m, func(tape *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
			return m.TokenNLL(tape, x, targets)
		}, in)
		if want := -float64(nll[len(nll)-1]); math.Abs(want-token.LogProb) > 1e-4 {
			t.Errorf("token %d has log-probability %v, want %v", n, token.LogProb, want)
		}
		if len(token.Top) != 3 || token.Top[0].LogProb < token.Top[1].LogProb || token.Top[0].LogProb < token.LogProb {
			t.Errorf("token %d of log-probability %v has the alternatives %v", n, token.LogProb, token.Top)
		}
	}
}

func TestASequenceEndsWhenItIsNotWanted(t *testing.T) {
	m, prompts := talker(t)
	e := engine(t, m, 8)
	refused, gone, stays := crowd(prompts[:1])[0], crowd(prompts[:1])[0], crowd(prompts[:1])[0]
	refused.Each = func(Token) bool { return false }
	left := collect(gone)
	kept := collect(stays)
	for _, s := range []*Sequence{refused, gone, stays} {
		add(t, e, s)
	}
	step(t, e)
	if u := e.Usage(); u.Running != 2 {
		t.Errorf("%d sequences run after one was refused", u.Running)
	}
	e.Remove(gone)
	finish(t, e)
	if len(*left) != 1 || len(*kept) != stays.MaxTokens {
		t.Errorf("the one that was removed has %d tokens, the one that stayed %d", len(*left), len(*kept))
	}
	if last := (*kept)[len(*kept)-1]; last.End != TooLong {
		t.Errorf("the last token says %q", last.End)
	}
	if err := e.Add(&Sequence{Prompt: make([]int32, 8*tensor.PageSize), MaxTokens: 1}); err == nil {
		t.Error("a prompt that the model has no room for was queued")
	}
}

func TestLargestAreInOrder(t *testing.T) {
	if got := largest([]float32{1, 5, 5, -1, 7}, 3); !slices.Equal(got, []int32{4, 1, 2}) {
		t.Errorf("the largest are %v", got)
	}
	if got := largest([]float32{1, 2}, 5); !slices.Equal(got, []int32{1, 0}) {
		t.Errorf("all are %v", got)
	}
}
