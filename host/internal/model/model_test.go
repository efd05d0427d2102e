package model

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/host/internal/tensor"
)

func pointer[T any](v T) *T { return &v }

// tiny returns a small configuration of each type.
func tiny(modelType string) Config {
	c := defaults(modelType)
	c.VocabSize, c.HiddenSize, c.IntermediateSize, c.NumHiddenLayers, c.NumAttentionHeads = 31, 16, 24, 2, 4
	c.MaxPositionEmbeddings, c.InitializerRange, c.NumLabels = 40, 0.25, 3
	if c.arch().decoder {
		c.NumKeyValueHeads, c.HeadDim = 2, 6
	}
	if c.arch().windows {
		c.SlidingWindow = 3
	}
	if c.arch().alternating {
		c.LayerTypes = []string{slidingAttention, fullAttention}
	}
	if c.arch().gemma {
		c.QueryPreAttnScalar = 9
	}
	if c.arch().localRope {
		c.LocalRopeTheta = 50
	}
	if c.arch().limits {
		c.AttentionLimit, c.LogitLimit = 2, 3
	}
	return c
}

func mustNew(t testing.TB, dev accelerators.Device, c Config, head Head, opts ...Option) *Model {
	t.Helper()
	m, err := New(dev, c, head, 5, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// randomInput packs sequences of the given lengths.
func randomInput(random *rand.Rand, vocab int, lengths ...int) Input {
	in := Input{Offsets: []int32{0}}
	for _, n := range lengths {
		for range n {
			in.Tokens = append(in.Tokens, int32(random.IntN(vocab)))
		}
		in.Offsets = append(in.Offsets, int32(len(in.Tokens)))
	}
	return in
}

// sequence is one sequence of a packed input, alone.
func (in Input) sequence(i int) Input {
	tokens := in.Tokens[in.Offsets[i]:in.Offsets[i+1]]
	return Input{Tokens: tokens, Offsets: []int32{0, int32(len(tokens))}}
}

// forward downloads what the given end of a model makes of an input.
func forward(t testing.TB, m *Model, end func(*tensor.Tape, *tensor.Tensor) *tensor.Tensor, in Input) []float32 {
	t.Helper()
	tape := tensor.NewInference(m.dev, m.arena)
	tape.Compute = m.Compute()
	defer tape.Reset()
	values, err := tape.Download(end(tape, m.Hidden(tape, in)))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func hiddenAlone(_ *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return x }

func TestPackedSequencesEqualSeparateOnes(t *testing.T) {
	dev := openCPU(t)
	long := tiny(Llama)
	long.MaxPositionEmbeddings, long.RopeScaling = 8, &RopeScaling{Type: ropeDynamic, Factor: 4}
	cases := map[string]Config{"dynamic": long}
	for _, name := range modelTypes() {
		cases[name] = tiny(name)
	}
	for name, c := range cases {
		m := mustNew(t, dev, c, HeadClassify)
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				lengths := rapid.SliceOfN(rapid.IntRange(1, min(20, c.Context())), 1, 4).Draw(r, "lengths")
				random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 0))
				comparePacked(t, r, m, randomInput(random, c.VocabSize, lengths...))
			})
		})
	}
}

func comparePacked(t *testing.T, r *rapid.T, m *Model, in Input) {
	width, labels := m.cfg.HiddenSize, m.cfg.NumLabels
	outputs := func(in Input) []float32 {
		return forward(t, m, func(tape *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return m.Outputs(tape, x, in) }, in)
	}
	hidden, answers := forward(t, m, hiddenAlone, in), outputs(in)
	means := forward(t, m, func(tape *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
		return m.Embeddings(tape, x, in)
	}, in)
	for i := range len(in.Offsets) - 1 {
		one := in.sequence(i)
		rows := hidden[int(in.Offsets[i])*width : int(in.Offsets[i+1])*width]
		equal(r, "hidden", rows, forward(t, m, hiddenAlone, one))
		equal(r, "outputs", answers[i*labels:(i+1)*labels], outputs(one))
		equal(r, "embeddings", means[i*width:(i+1)*width], mean(rows, width))
	}
}

func equal(t *rapid.T, what string, packed, alone []float32) {
	if d := largestDifference(packed, alone, 1); d > 1e-5 {
		t.Fatalf("%s differ by %g", what, d)
	}
}

func mean(rows []float32, width int) []float32 {
	means := make([]float32, width)
	for i, v := range rows {
		means[i%width] += v / float32(len(rows)/width)
	}
	return means
}

// A task is a loss over a model's answers: the sum of nll or outputs times fixed weights.
type task struct {
	m  *Model
	in Input
}

func (k task) weights(n int) []float32 {
	w := make([]float32, n)
	for i := range w {
		w[i] = float32(math.Cos(float64(i)))
	}
	return w
}

func (k task) answer(tape *tensor.Tape, in Input) *tensor.Tensor {
	hidden := k.m.Hidden(tape, in)
	if k.m.Head() == HeadLM {
		return k.m.TokenNLL(tape, hidden, targets(in))
	}
	return k.m.Outputs(tape, hidden, in)
}

// loss is computed in float64 from the downloaded answers.
func (k task) loss(t *testing.T) float64 {
	t.Helper()
	tape := tensor.NewInference(k.m.dev, k.m.arena)
	tape.Compute = k.m.Compute()
	defer tape.Reset()
	values, err := tape.Download(k.answer(tape, k.in))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, w := range k.weights(len(values)) {
		sum += float64(w) * float64(values[i])
	}
	return sum
}

// gradients runs the sequences in passes of the given size, which add up.
func (k task) gradients(t *testing.T, perPass int) []float32 {
	t.Helper()
	k.m.set.ZeroGrad(k.m.dev)
	tape := tensor.NewTape(k.m.dev, k.m.arena)
	tape.Compute = k.m.Compute()
	n := len(k.in.Offsets) - 1
	rows := func(sequence int) int { // of the answer, before a sequence
		if k.m.Head() == HeadLM {
			return int(k.in.Offsets[sequence])
		}
		return sequence * k.m.cfg.NumLabels
	}
	weights := k.weights(rows(n))
	for from := 0; from < n; from += perPass {
		to := min(n, from+perPass)
		y := k.answer(tape, k.in.span(from, to))
		if err := tape.Backward(tensor.Seed{Of: y, Grad: weights[rows(from):rows(to)]}); err != nil {
			t.Fatal(err)
		}
		tape.Reset()
	}
	grads := make([]float32, k.m.set.Count())
	if err := k.m.dev.DownloadF32(grads, k.m.set.Grad); err != nil {
		t.Fatal(err)
	}
	return grads
}

func (in Input) span(from, to int) Input {
	s := Input{Tokens: in.Tokens[in.Offsets[from]:in.Offsets[to]]}
	for _, o := range in.Offsets[from : to+1] {
		s.Offsets = append(s.Offsets, o-in.Offsets[from])
	}
	return s
}

// tasks are whole models with each head.
func tasks(t *testing.T, dev accelerators.Device, opts ...Option) map[string]task {
	tied, biased := tiny(Llama), tiny(Llama)
	tied.TieWordEmbeddings = true
	biased.AttentionBias, biased.MLPBias = true, true
	in := randomInput(rand.New(rand.NewPCG(8, 8)), 31, 5, 1, 7, 3)
	return map[string]task{
		"llama lm, tied":   {mustNew(t, dev, tied, HeadLM, opts...), in},
		"llama lm, biased": {mustNew(t, dev, biased, HeadLM, opts...), in},
		"llama reward":     {mustNew(t, dev, tiny(Llama), HeadClassify, opts...), in},
		"qwen2 lm":         {mustNew(t, dev, tiny(Qwen2), HeadLM, opts...), in},
		"qwen3 lm":         {mustNew(t, dev, tiny(Qwen3), HeadLM, opts...), in},
		"gemma2 lm":        {mustNew(t, dev, tiny(Gemma2), HeadLM, opts...), in},
		"gemma3 lm":        {mustNew(t, dev, tiny(Gemma3), HeadLM, opts...), in},
		"gemma3 classes":   {mustNew(t, dev, tiny(Gemma3), HeadClassify, opts...), in},
		"bert":             {mustNew(t, dev, tiny(Bert), HeadClassify, opts...), in},
		"xlm-roberta":      {mustNew(t, dev, tiny(Roberta), HeadClassify, opts...), in},
	}
}

func TestMicroBatchesAddUpToOneBatch(t *testing.T) {
	for name, k := range tasks(t, openCPU(t)) {
		whole := k.gradients(t, 4)
		for _, perPass := range []int{1, 2, 3} {
			if d := largestDifference(k.gradients(t, perPass), whole, 1); d > 1e-5 {
				t.Errorf("%s: %d sequences at a time differ by %g", name, perPass, d)
			}
		}
		if !slices.Equal(k.gradients(t, 4), whole) {
			t.Errorf("%s: the same pass twice has other bits", name)
		}
	}
}

func TestCheckpointingChangesNoBitOfAnyGradient(t *testing.T) {
	for name, k := range tasks(t, openCPU(t)) {
		want := k.gradients(t, 3)
		k.m.SetCheckpointing(true)
		if !slices.Equal(k.gradients(t, 3), want) {
			t.Errorf("%s: gradients differ", name)
		}
	}
}

func TestLearningTokensIsTheirLossWithASeed(t *testing.T) {
	k := tasks(t, openCPU(t))["llama lm, tied"]
	want := k.gradients(t, 4)
	k.m.set.ZeroGrad(k.m.dev)
	tape := tensor.NewTape(k.m.dev, k.m.arena)
	defer tape.Reset()
	k.m.LearnTokens(tape, k.m.Hidden(tape, k.in), targets(k.in), k.weights(len(k.in.Tokens)))
	if err := tape.Backward(); err != nil {
		t.Fatal(err)
	}
	got := make([]float32, len(want))
	if err := k.m.dev.DownloadF32(got, k.m.set.Grad); err != nil {
		t.Fatal(err)
	}
	if d := largestDifference(got, want, 1); d > 1e-5 {
		t.Errorf("gradients differ by %g", d)
	}
	k.m.LearnTokens(tape, k.m.Hidden(tape, k.in), []int32{31}, nil)
	if err := tape.Err(); err == nil || err.Error() != "LearnTokens: target 31 of row 0 is not in the vocabulary of 31" {
		t.Errorf("a target out of bounds: %v", err)
	}
}

// Whole models in float32 against four-point differences: outputs of size 1 are right to about 1e-6, the step of 0.01
// makes that 1e-4, and the curvature of two blocks a little more. A wrong term would show at the size of the gradient
// itself.
func TestGradientsOfWholeModelsEqualFiniteDifferences(t *testing.T) {
	const step, tolerance = 0.01, 2e-3
	for name, k := range tasks(t, openCPU(t)) {
		grads := k.gradients(t, 4)
		random := rand.New(rand.NewPCG(9, 9))
		for _, p := range k.m.set.All() {
			for range 3 {
				i := random.IntN(p.Size())
				want := k.difference(t, p.Update().Slice(i, 1), step)
				if got := float64(grads[p.Off+i]); math.Abs(got-want) > tolerance*(1+math.Abs(want)) {
					t.Errorf("%s: d loss / d %s[%d] = %g, differences say %g", name, p.Name, i, got, want)
				}
			}
		}
	}
}

func (k task) difference(t *testing.T, weight accelerators.Buffer, step float64) float64 {
	t.Helper()
	var at [1]float32
	if err := k.m.dev.DownloadF32(at[:], weight); err != nil {
		t.Fatal(err)
	}
	loss := func(steps float64) float64 {
		k.m.dev.UploadF32(weight, []float32{at[0] + float32(steps*step)})
		return k.loss(t)
	}
	near, far := loss(1)-loss(-1), loss(2)-loss(-2)
	k.m.dev.UploadF32(weight, at[:])
	return (8*near - far) / (12 * step)
}

func TestATapeOutlivesTheGrowthOfTheRotaryTables(t *testing.T) {
	dev := openCPU(t)
	m := mustNew(t, dev, tiny(Llama), HeadNone)
	tape := tensor.NewTape(dev, tensor.NewArena(dev))
	random := rand.New(rand.NewPCG(4, 4))
	short := m.Hidden(tape, randomInput(random, 31, 3))
	m.Hidden(tape, randomInput(random, 31, 40))
	if err := tape.Backward(tensor.Seed{Of: short, Grad: make([]float32, 3*16)}); err != nil {
		t.Fatal(err)
	}
	if err := dev.Sync(); err != nil {
		t.Error(err)
	}
}

func TestInputOutOfBoundsIsAnErrorThatSaysWhere(t *testing.T) {
	dev := openCPU(t)
	roberta := mustNew(t, dev, tiny(Roberta), HeadNone)
	one, two := []int32{0, 1}, []int32{0, 2}
	for want, in := range map[string]Input{
		"offsets [0 2] do not bound 3 tokens":                 {Tokens: []int32{1, 2, 3}, Offsets: two},
		"offsets [] do not bound 1 tokens":                    {Tokens: []int32{1}},
		"sequence 1 of 2 is empty":                            {Tokens: []int32{1}, Offsets: []int32{0, 1, 1}},
		"token 1 has id 31, outside the vocabulary of 31":     {Tokens: []int32{1, 31}, Offsets: two},
		"token 0 has id -1, outside the vocabulary of 31":     {Tokens: []int32{-1}, Offsets: one},
		"1 positions for 2 tokens":                            {Tokens: two, Positions: []int32{0}, Offsets: two},
		"token 38 has position 38, outside the context of 38": {Tokens: make([]int32, 39), Offsets: []int32{0, 39}},
		"token 0 has position -1, outside the context of 38":  {Tokens: []int32{1}, Positions: []int32{-1}, Offsets: one},
		"TokenNLL: the model's head is none, not lm":          {Tokens: []int32{1}, Offsets: one},
	} {
		tape := tensor.NewInference(dev, roberta.arena)
		roberta.TokenNLL(tape, roberta.Hidden(tape, in), nil)
		if err := tape.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the tape says %v, want %s", err, want)
		}
	}
}

func TestNewIsDeterminedBySeedAndNames(t *testing.T) {
	dev := openCPU(t)
	c := tiny(Llama)
	c.PadTokenID, c.VocabSize, c.AttentionBias = pointer(int32(3)), 3000, true
	deep := c
	deep.NumHiddenLayers++
	first, other := weights(t, mustNew(t, dev, c, HeadLM)), weights(t, mustNew(t, dev, deep, HeadLM))
	if diff := cmp.Diff(first, weights(t, mustNew(t, dev, c, HeadLM))); diff != "" {
		t.Errorf("twice the same seed:\n%s", diff)
	}
	for name, x := range first {
		if diff := cmp.Diff(x, other[name]); diff != "" {
			t.Errorf("%s depends on the number of layers:\n%s", name, diff)
		}
	}
	attention := "model.layers.0.self_attn."
	if slices.Equal(first[attention+"k_proj.weight"].Data, first[attention+"v_proj.weight"].Data) {
		t.Error("two tensors hold the same draws")
	}
	embed := first["model.embed_tokens.weight"].Data
	sum, squares := 0.0, 0.0
	for _, v := range embed {
		sum, squares = sum+float64(v), squares+float64(v)*float64(v)
	}
	n := float64(len(embed))
	if deviation := math.Sqrt(squares / n); math.Abs(sum/n) > 0.01 || math.Abs(deviation-c.InitializerRange) > 0.01 {
		t.Errorf("embeddings have mean %g and deviation %g", sum/n, deviation)
	}
	constant(t, first["model.norm.weight"].Data, 1)
	constant(t, first["model.layers.1.self_attn.q_proj.bias"].Data, 0)
	constant(t, embed[3*c.HiddenSize:4*c.HiddenSize], 0)
}

func constant(t *testing.T, x []float32, want float32) {
	t.Helper()
	if i := slices.IndexFunc(x, func(v float32) bool { return v != want }); i >= 0 {
		t.Errorf("element %d is %g, want %g", i, x[i], want)
	}
}

// weights are a model's tensors by name.
func weights(t *testing.T, m *Model) stored {
	t.Helper()
	all, err := m.Tensors()
	if err != nil {
		t.Fatal(err)
	}
	s := stored{}
	for _, x := range all {
		s[x.Name] = x
	}
	return s
}

func TestAModelWithoutRoomOnTheDeviceIsAnError(t *testing.T) {
	c := tiny(Llama)
	c.VocabSize, c.HiddenSize, c.HeadDim = maxVocab, maxWidth, 2
	_, err := New(openCPU(t), c, HeadLM, 1)
	if want := fmt.Sprintf("model of %d parameters: allocate", c.WithHead(HeadLM).Parameters()); err == nil ||
		!strings.HasPrefix(err.Error(), want) {
		t.Errorf("New says %v, want %s", err, want)
	}
}
