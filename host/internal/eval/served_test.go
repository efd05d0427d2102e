package eval

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest/narrow"
	_ "github.com/carebot-llm/carebot/accelerators/cpu"
	"github.com/carebot-llm/carebot/host/internal/data"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/tensor"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/sdk"
)

// contextLen is the context of the models here, in tokens.
const contextLen = 64

var learnTokenizer = sync.OnceValues(func() (*tokenizer.Tokenizer, error) {
	texts := []string{
		"Question: the patient has fever and a cough. Answer: the doctor advises rest.",
		"Question: the patient has a headache. Answer: the doctor advises water and rest.",
		"问题：病人发烧咳嗽。答案：医生建议休息。问题：病人头痛。答案：医生建议喝水休息。",
	}
	return tokenizer.Train(slices.Values(texts), 300)
})

func openCPU(t testing.TB) accelerators.Device {
	t.Helper()
	dev, _, err := accelerators.Open("cpu")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dev.Sync(); err != nil {
			t.Errorf("the device ends with an error: %v", err)
		}
		dev.Close()
	})
	return dev
}

func toyTokenizer(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := learnTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func toyConfig(tok *tokenizer.Tokenizer, outputs int) model.Config {
	shape := recipe.Model{
		Arch: model.Llama, Layers: 2, Hidden: 32, Heads: 4, KVHeads: 2, Context: contextLen, RopeTheta: 1e4, Outputs: outputs,
	}
	cfg := model.ConfigFromRecipe(shape, tok.Size(), model.Special{PAD: 0, BOS: 1, EOS: 2})
	cfg.InitializerRange = 0.2 // so that answers vary
	return cfg
}

func newModel(
	t testing.TB, dev accelerators.Device, cfg model.Config, head model.Head, seed uint64, options ...model.Option,
) *model.Model {
	t.Helper()
	m, err := model.New(dev, cfg, head, seed, append(options, model.Frozen())...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func serve(t testing.TB, m *model.Model, tok *tokenizer.Tokenizer, dev accelerators.Device) *Served {
	t.Helper()
	s := Serve("toy", m, tok, dev, new(sync.Mutex))
	t.Cleanup(s.Close)
	return s
}

// talker is a served language model with random weights.
func talker(t testing.TB, seed uint64) *Served {
	t.Helper()
	dev, tok := openCPU(t), toyTokenizer(t)
	return serve(t, newModel(t, dev, toyConfig(tok, 1), model.HeadLM, seed), tok, dev)
}

// judge is a served model with a head of random weights.
func judge(t testing.TB, outputs int) *Served {
	t.Helper()
	return judgeOn(t, openCPU(t), outputs)
}

func judgeOn(t testing.TB, dev accelerators.Device, outputs int, options ...model.Option) *Served {
	t.Helper()
	tok := toyTokenizer(t)
	return serve(t, newModel(t, dev, toyConfig(tok, outputs), model.HeadClassify, 1, options...), tok, dev)
}

// encoder is a served encoder without a head.
func encoder(t testing.TB) *Served {
	t.Helper()
	dev, tok := openCPU(t), toyTokenizer(t)
	shape := recipe.Model{Arch: model.Bert, Layers: 2, Hidden: 32, Heads: 4, Context: contextLen}
	cfg := model.ConfigFromRecipe(shape, tok.Size(), model.Special{PAD: 0, BOS: 1, EOS: 2})
	return serve(t, newModel(t, dev, cfg, model.HeadNone, 1), tok, dev)
}

// uniform is a served language model to which all tokens are equally likely.
func uniform(t testing.TB) *Served {
	t.Helper()
	s := talker(t, 1)
	s.dev.Fill(s.model.Params().Update(), 0)
	return s
}

func user(text string) []sdk.Turn { return []sdk.Turn{{Role: sdk.RoleUser, Text: text}} }

func raw(text string) []sdk.Turn { return []sdk.Turn{{Text: text}} }

// direct runs f on a tape of its own and downloads what it returns.
func direct(t testing.TB, s *Served, f func(*tensor.Tape) *tensor.Tensor) []float64 {
	t.Helper()
	arena := tensor.NewArena(s.dev)
	defer arena.Free()
	tape := tensor.NewInference(s.dev, arena)
	defer tape.Reset()
	values, err := tape.Download(f(tape))
	if err != nil {
		t.Fatal(err)
	}
	return widen(values)
}

func TestInfoDescribesTheModel(t *testing.T) {
	want := sdk.ModelInfo{Name: "toy", MaxTokens: contextLen, Hidden: 32}
	if got := talker(t, 1).Info(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	want.Outputs = 3
	if got := judge(t, 3).Info(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestScoreIsTheOutputOfTheHead(t *testing.T) {
	s := judge(t, 3)
	texts := [][]sdk.Turn{
		raw("the patient has fever"), user("a headache"),
		{{Role: sdk.RoleUser, Text: "fever?"}, {Role: sdk.RoleAssistant, Text: "rest"}},
		raw(""), raw(strings.Repeat("the doctor advises rest. ", 40)),
	}
	chat := func(turns []sdk.Turn) []int32 {
		ids, err := s.tok.Chat(turns, false)
		if err != nil {
			t.Fatal(err)
		}
		return ids
	}
	want := make([][]float64, len(texts))
	for i, ids := range [][]int32{
		data.TextTokens(s.tok, "the patient has fever"), chat(texts[1]), chat(texts[2]),
		data.TextTokens(s.tok, ""), data.TextTokens(s.tok, texts[4][0].Text)[:contextLen],
	} {
		in := model.Input{Tokens: ids, Offsets: []int32{0, int32(len(ids))}}
		want[i] = direct(t, s, func(tape *tensor.Tape) *tensor.Tensor {
			return s.model.Outputs(tape, s.model.Hidden(tape, in), in)
		})
	}
	got, err := s.Score(t.Context(), texts)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-alone +together):\n%s", err, diff)
	}
}

func TestEmbeddingsAreMeansOfTheLastLayer(t *testing.T) {
	texts := []string{"the patient has fever", "", "病人头痛", strings.Repeat("water and rest ", 50)}
	for name, s := range map[string]*Served{"decoder": talker(t, 1), "encoder": encoder(t)} {
		want := make([][]float64, len(texts))
		for i, text := range texts {
			ids := data.TextTokens(s.tok, text)
			ids = ids[:min(len(ids), contextLen)]
			in := model.Input{Tokens: ids, Offsets: []int32{0, int32(len(ids))}}
			hidden := direct(t, s, func(tape *tensor.Tape) *tensor.Tensor { return s.model.Hidden(tape, in) })
			want[i] = make([]float64, 32)
			for j, v := range hidden {
				want[i][j%32] += v / float64(len(ids))
			}
		}
		got, err := s.Embed(t.Context(), texts)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %d embeddings, %v", name, len(got), err)
		}
		for i := range want {
			if !near(got[i], want[i], 1e-5) {
				t.Errorf("%s, text %d: %v, want %v", name, i, got[i], want[i])
			}
		}
	}
}

func TestScoresInBFloat16AreNearThoseInFloat32(t *testing.T) {
	texts := [][]sdk.Turn{raw("the patient has fever"), raw("water and rest")}
	want, err := judge(t, 2).Score(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	devices := map[string]accelerators.Device{"products": openCPU(t), "activations": narrow.New(openCPU(t))}
	for name, dev := range devices {
		got, err := judgeOn(t, dev, 2, model.BF16()).Score(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		if cmp.Equal(want, got) {
			t.Errorf("%s: the scores are the same to the bit: nothing was rounded", name)
		}
		for i := range want {
			if !near(got[i], want[i], 0.04) {
				t.Errorf("%s, text %d: %v, in float32 %v", name, i, got[i], want[i])
			}
		}
	}
}

func TestEmbeddingsOfActivationsInBFloat16AreNearThoseInFloat32(t *testing.T) {
	tok := toyTokenizer(t)
	shape := recipe.Model{Arch: model.Bert, Layers: 2, Hidden: 32, Heads: 4, Context: contextLen}
	cfg := model.ConfigFromRecipe(shape, tok.Size(), model.Special{PAD: 0, BOS: 1, EOS: 2})
	texts := []string{"the patient has fever", "water"}
	for _, mode := range []model.PoolingMode{model.PoolMean, model.PoolCLS} {
		embed := func(dev accelerators.Device, options ...model.Option) [][]float64 {
			m := newModel(t, dev, cfg, model.HeadNone, 1, options...)
			m.Pool(model.Pooling{Mode: mode})
			got, err := serve(t, m, tok, dev).Embed(t.Context(), texts)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		want, got := embed(openCPU(t)), embed(narrow.New(openCPU(t)), model.BF16())
		for i := range want {
			if !near(got[i], want[i], 0.03) {
				t.Errorf("%s, text %d: %v, in float32 %v", mode, i, got[i], want[i])
			}
		}
	}
}

func TestEmbeddingsAreMadeAsAModelSays(t *testing.T) {
	s := encoder(t)
	ids := data.TextTokens(s.tok, "the patient has fever")
	in := model.Input{Tokens: ids, Offsets: []int32{0, int32(len(ids))}}
	hidden := direct(t, s, func(tape *tensor.Tape) *tensor.Tensor { return s.model.Hidden(tape, in) })
	for mode, row := range map[model.PoolingMode]int{model.PoolCLS: 0, model.PoolLast: len(ids) - 1} {
		want := hidden[32*row : 32*row+32]
		for _, normal := range []bool{false, true} {
			s.model.Pool(model.Pooling{Mode: mode, Normalize: normal})
			got, err := s.EmbedTokens(t.Context(), [][]int32{{5, 6}, ids})
			if err != nil {
				t.Fatal(err)
			}
			length := 1.0
			if normal {
				length = norm(want)
			}
			for i, v := range got[1] {
				if math.Abs(v*length-want[i]) > 1e-5 {
					t.Errorf("%s, normal %v: number %d is %v, want %v", mode, normal, i, v, want[i]/length)
				}
			}
		}
	}
}

func norm(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum)
}

func near(a, b []float64, tolerance float64) bool {
	for i := range a {
		if !(max(a[i]-b[i], b[i]-a[i]) <= tolerance) {
			return false
		}
	}
	return len(a) == len(b)
}

func TestNothingIsAskedOfWhatIsNotThere(t *testing.T) {
	ctx := t.Context()
	_, err := talker(t, 1).Score(ctx, [][]sdk.Turn{raw("text")})
	if err == nil || !strings.Contains(err.Error(), `"toy" has no head`) {
		t.Errorf("scores of a language model: %v", err)
	}
	s := judge(t, 1)
	requests := []sdk.LogLikRequest{{Context: raw("text"), Continuation: " more"}}
	if _, err := s.LogLik(ctx, requests); err == nil || !strings.Contains(err.Error(), "head is classify, not lm") {
		t.Errorf("likelihoods of a model with a head: %v", err)
	}
}

func TestConcurrentRequestsGetTheirOwnAnswers(t *testing.T) {
	s := talker(t, 1)
	request := func(i int) []sdk.LogLikRequest {
		return []sdk.LogLikRequest{{Context: raw(fmt.Sprintf("patient %d", i)), Continuation: " has fever"}}
	}
	prompt := [][]int32{s.tok.Encode("the doctor")}
	eight := model.Generation{MaxTokens: 8}
	continued, err := s.Generate(t.Context(), prompt, eight, nil)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 8 {
		want, err := s.LogLik(t.Context(), request(i))
		if err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			if got, err := s.LogLik(t.Context(), request(i)); err != nil || got[0] != want[0] {
				t.Errorf("request %d: %v, want %v (%v)", i, got, want, err)
			}
			if got, err := s.Generate(t.Context(), prompt, eight, nil); err != nil || !cmp.Equal(got, continued) {
				t.Errorf("request %d: generated %v, want %v (%v)", i, got, continued, err)
			}
		})
	}
	wait.Wait()
}

func TestACancelledRequestReturnsTheCause(t *testing.T) {
	cause := errors.New("no longer needed")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	s, head := talker(t, 1), judge(t, 1)
	_, likelihoods := s.LogLik(ctx, []sdk.LogLikRequest{{Continuation: "text"}})
	_, scores := head.Score(ctx, [][]sdk.Turn{raw("text")})
	_, embeddings := s.Embed(ctx, []string{"text"})
	_, generated := s.Generate(ctx, [][]int32{{5}}, model.Generation{MaxTokens: 1}, nil)
	for i, err := range []error{likelihoods, scores, embeddings, generated} {
		if !errors.Is(err, cause) {
			t.Errorf("request %d: error %v, want the cause", i, err)
		}
	}
}
