package eval

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// slowKendall is tau-b by its definition, over all pairs.
func slowKendall(a, b []float64) float64 {
	sign := func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	}
	var both, inA, inB float64
	for i := range a {
		for j := range i {
			x, y := sign(a[i]-a[j]), sign(b[i]-b[j])
			both, inA, inB = both+x*y, inA+x*x, inB+y*y
		}
	}
	return both / math.Sqrt(inA*inB)
}

func TestKendallIsThatOfItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "n")
		values := rapid.SliceOfN(rapid.Float64Range(-3, 3), n, n)
		if rapid.Bool().Draw(t, "with ties") {
			values = rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 4), func(i int) float64 { return float64(i) }), n, n)
		}
		a, b := values.Draw(t, "a"), values.Draw(t, "b")
		got, want := Kendall(a, b), slowKendall(a, b)
		if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12 {
			t.Errorf("%g, want %g", got, want)
		}
	})
}

func TestKendallOfAConstantIsNotDefined(t *testing.T) {
	if got := Kendall([]float64{1, 1, 1}, []float64{1, 2, 3}); !math.IsNaN(got) {
		t.Errorf("%g, want NaN", got)
	}
}
