package tokenizer

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func trainedUnigram(t testing.TB, vocab int, lines []string) *Tokenizer {
	t.Helper()
	tok, err := TrainUnigram(slices.Values(lines), vocab)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestUnigramTrainingDependsNeitherOnOrderNorOnProcessors(t *testing.T) {
	lines := readFixture[[]string](t, "corpus.json")
	want := trainedUnigram(t, 900, lines).Digest()
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if trainedUnigram(t, 900, lines).Digest() != want {
		t.Error("the digests differ")
	}
}

func TestTrainedUnigramHasTheSizeAskedForAndLosesNothing(t *testing.T) {
	lines := readFixture[[]string](t, "corpus.json")
	tok := trainedUnigram(t, 900, lines)
	if tok.Size() != 900 {
		t.Errorf("size %d", tok.Size())
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(anyText(), rapid.String()).Draw(t, "text")
		ids := tok.Encode(text)
		if got := tok.Decode(ids); got != text {
			t.Fatalf("%q comes back as %q", text, got)
		}
		if i := slices.IndexFunc(ids, func(id int32) bool { return tok.special[id] }); i >= 0 {
			t.Fatalf("token %d of %q is special: %v", i, text, ids)
		}
	})
	if plain := trainedUnigram(t, 261, lines); plain.Size() != 261 {
		t.Errorf("size %d of the bytes alone", plain.Size())
	}
}

func TestUnigramTrainingFindsWords(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	words := []string{" alpha", " beta", " gamma", " delta", " omega"}
	var lines []string
	for range 300 {
		var line strings.Builder
		for range 6 {
			line.WriteString(words[random.IntN(len(words))])
		}
		lines = append(lines, line.String())
	}
	tok := trainedUnigram(t, 261+len(words), lines)
	if ids := tok.Encode(" omega beta alpha"); len(ids) != 3 || tok.Decode(ids[1:2]) != " beta" {
		t.Errorf("%d tokens: %q", len(ids), tok.Decode(ids[1:2]))
	}
}

func TestEachRoundOfFittingMakesTheWordsLikelier(t *testing.T) {
	e := newEstimator(countWords(slices.Values(readFixture[[]string](t, "corpus.json"))))
	last := math.Inf(-1)
	for range 4 {
		counts := e.expect()
		sum, likely := 0.0, 0.0
		for _, n := range counts {
			sum += n
		}
		for i, n := range counts {
			e.pieces[i].weight = math.Log(max(n, 1e-300) / sum)
		}
		var f forward
		for _, w := range e.words {
			f.count(e, w, make([]float64, len(counts)))
			likely += f.left[len(w.text)] * float64(w.count)
		}
		if likely < last {
			t.Errorf("log-likelihood %v after %v", likely, last)
		}
		last = likely
	}
}

func TestDigamma(t *testing.T) {
	for x, want := range map[float64]float64{1: -0.5772156649015329, 0.5: -1.9635100260214235, 10: 2.251752589066721} {
		if got := digamma(x); math.Abs(got-want) > 1e-7 {
			t.Errorf("digamma(%v) = %v, want %v", x, got, want)
		}
	}
}
