//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// sampledRows are rows of logits of every kind that a cut may meet.
func sampledRows(vocab int) map[string][]float32 {
	spread, masked, wide := drawn(1, vocab), drawn(2, vocab), drawn(3, vocab)
	tied, zeros := make([]float32, vocab), make([]float32, vocab)
	for i := range spread {
		spread[i] *= 3
		tied[i] = float32(i * 7919 % 5)
		if i%3 != 0 {
			masked[i] = float32(math.Inf(-1))
		}
		wide[i] *= 1e30
		zeros[i] = float32(math.Copysign(0, float64(i%2)-0.5))
	}
	return map[string][]float32{
		"spread": spread, "tied": tied, "masked": masked, "wide": wide, "flat": make([]float32, vocab), "zeros": zeros,
	}
}

// cuts are draws with each kind of cut, and a temperature at which no range of the first histogram divides the logits.
func cuts(vocab int) []accelerators.Draw {
	all := []accelerators.Draw{{}, {Temperature: 1}, {Temperature: 1, TopK: 1}, {Temperature: 0.7, TopK: 40},
		{Temperature: 1, TopP: 0.9}, {Temperature: 1, TopP: 1e-9}, {Temperature: 1.5, TopK: vocab / 2, TopP: 0.95},
		{Temperature: 1e-3, TopP: 0.5}, {Temperature: 1e9, TopP: 0.3}, {Temperature: 1e9, TopK: 17},
		{Temperature: 1e-44, TopK: 3}, {Temperature: 1, TopK: vocab - 1, TopP: 0.999999}}
	for i := range all {
		all[i].Seed, all[i].Counter = 7, uint64(i)
	}
	return all
}

func (s side) sampled(logits []float32, vocab int, draws []accelerators.Draw) []int32 {
	s.t.Helper()
	ids := s.alloc(accelerators.I32, len(draws))
	s.Sample(ids, s.floats(logits), vocab, draws)
	got := make([]int32, len(draws))
	if err := s.DownloadI32(got, ids); err != nil {
		s.t.Fatal(err)
	}
	return got
}

// TestDrawsAreThoseOfTheCPU: weights differ by a rounding, which turns no draw here.
func TestDrawsAreThoseOfTheCPU(t *testing.T) {
	plain, device := side{plainCPU(t), t, 0}, side{opened(t), t, 0}
	defer plain.Close()
	defer device.Close()
	for _, vocab := range []int{1, 2, 33, 65, 1000, 40_000} {
		draws := cuts(vocab)
		for name, row := range sampledRows(vocab) {
			t.Run(fmt.Sprint(vocab, "/", name), func(t *testing.T) {
				logits := slices.Repeat(row, len(draws))
				want, got := plain.sampled(logits, vocab, draws), device.sampled(logits, vocab, draws)
				for i, d := range draws {
					if got[i] != want[i] {
						t.Errorf("%+v drew %d, want %d", d, got[i], want[i])
					}
				}
			})
		}
	}
}

func TestARowWithoutALargestLogitIsAnError(t *testing.T) {
	s := side{opened(t), t, 0}
	defer s.Close()
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, row := range [][]float32{{1, nan, 2}, {1, -nan, 2}, {1, 2, inf}, {-inf, -inf, -inf}} {
		ids := s.alloc(accelerators.I32, 2)
		s.Sample(ids, s.floats(append([]float32{1, 2, 3}, row...)), 3, make([]accelerators.Draw, 2))
		if err := s.Sync(); err == nil || !strings.Contains(err.Error(), "Sample: "+noLargest+"[1]") {
			t.Errorf("%v: the error is %v", row, err)
		}
	}
}
