package dynamic8

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// published is what testdata/make_dynamic8.py has asked bitsandbytes for: its maps in rising order.
type published struct{ Signed, Unsigned []float64 }

func readPublished(t *testing.T) (p published) {
	t.Helper()
	raw, err := os.ReadFile("testdata/dynamic8.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheCodesAreThoseOfBitsandbytes(t *testing.T) {
	p := readPublished(t)
	signed, unsigned := p.Signed, p.Unsigned
	var first, second []float64
	for code := range 256 {
		first = append(first, float64(First(byte(code), 1)))
		second = append(second, float64(Second(byte(code), 1)))
	}
	slices.Sort(first)
	slices.Sort(second)
	for i := range signed {
		if math.Abs(first[i]-signed[i]) > 2e-6*math.Abs(signed[i]) || math.Abs(second[i]-unsigned[i]) > 2e-6*unsigned[i] {
			t.Errorf("number %d of the maps is %g and %g, want %g and %g", i, first[i], second[i], signed[i], unsigned[i])
		}
	}
}

// nearest is the distance from x to the nearest number of a map.
func nearest(sorted []float64, x float64) float64 {
	i, _ := slices.BinarySearch(sorted, x)
	best := math.Inf(1)
	for _, j := range []int{i - 1, i} {
		if j >= 0 && j < len(sorted) {
			best = min(best, math.Abs(sorted[j]-x))
		}
	}
	return best
}

func TestCodesAreTheNearest(t *testing.T) {
	p := readPublished(t)
	signed, unsigned := p.Signed, p.Unsigned
	for x := float32(1); x > 1e-9; x *= 0.9993 {
		for _, s := range []float32{x, -x} {
			got := float64(First(FirstCode(s), 1))
			if off := math.Abs(got - float64(s)); off > nearest(signed, float64(s))+2e-6*float64(x) {
				t.Fatalf("%g becomes %g, %g off, where %g would do", s, got, off, nearest(signed, float64(s)))
			}
		}
		got := float64(Second(SecondCode(x), 1))
		if want := max(float64(x), unsigned[1]); math.Abs(got-want) > nearest(unsigned, want)+2e-6*want {
			t.Fatalf("without sign %g becomes %g", x, got)
		}
	}
}

func TestEveryCodeIsThatOfItsNumber(t *testing.T) {
	for code := range 256 {
		if x := First(byte(code), 1); FirstCode(x) != byte(code) {
			t.Errorf("code %d stands for %g, which gets %d", code, x, FirstCode(x))
		}
		if x := Second(byte(code), 1); code > 0 && SecondCode(x) != byte(code) {
			t.Errorf("code %d stands for %g, which gets %d", code, x, SecondCode(x))
		}
	}
}
