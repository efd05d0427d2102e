package model

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/tensor"
)

// testdata/pairs.json is written by testdata/make_pairs.py.
func TestPairsOfTextsEqualTransformers(t *testing.T) {
	raw, err := os.ReadFile("testdata/pairs.json")
	if err != nil {
		t.Fatal(err)
	}
	var fixtures map[string][]struct {
		Tokens, Types []int32
		Outputs       []float32
	}
	if err := json.Unmarshal(raw, &fixtures); err != nil {
		t.Fatal(err)
	}
	dev := openCPU(t)
	for name, pairs := range fixtures {
		m := loadFixture(t, dev, name).Model
		in, want := Input{Offsets: []int32{0}}, []float32{}
		for _, p := range pairs {
			in.Tokens, in.Types, want = append(in.Tokens, p.Tokens...), append(in.Types, p.Types...), append(want, p.Outputs...)
			in.Offsets = append(in.Offsets, int32(len(in.Tokens)))
		}
		outputs := func(tape *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return m.Outputs(tape, x, in) }
		d := largestDifference(forward(t, m, outputs, in), want, 1)
		if !(d < 1e-5) {
			t.Errorf("%s: the outputs differ by %g", name, d)
		}
		note(t, "models", name, "pairs", "%.0e", d)
	}
}

func TestTypesOfTokensAreChecked(t *testing.T) {
	for want, types := range map[string][]int32{
		"1 types for 2": {0}, "token 1 has type 2": {0, 2}, "token 0 has type -1": {-1, 0},
	} {
		_, err := Input{Tokens: []int32{1, 2}, Offsets: []int32{0, 2}, Types: types}.check(tiny(Bert))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
