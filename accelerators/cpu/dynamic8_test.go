package cpu

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// published is what testdata/make_dynamic8.py has asked bitsandbytes for: its maps in rising order, and each 16th of the
// weights after some steps.
type published struct{ Signed, Unsigned, Weights []float64 }

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

// TestStepsAreThoseOfBitsandbytes: a moment on the border of two codes may take the other, a few percent of it; and its
// codes on a processor are not always the nearest to numbers of the lowest decades.
func TestStepsAreThoseOfBitsandbytes(t *testing.T) {
	everySet(t, func(t *testing.T, set *kernelSet) {
		const n = 4096
		d := newDevice(2, set)
		defer d.Close()
		param, grad, m, v := alloc(t, d, n), alloc(t, d, n), zeroCodes(t, d, n), zeroCodes(t, d, n)
		d.Fill(param, 0)
		host := make([]float32, n)
		for step := 1; step <= 20; step++ {
			for i := range host {
				host[i] = float32(math.Pow(float64((i*7919+step*104729)%2003)/1001-1, 3))
			}
			d.UploadF32(grad, host)
			d.AdamW8Bit(param, grad, m, v, accelerators.AdamW{LR: 0.01, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8,
				Step: step})
		}
		if err := d.DownloadF32(host, param); err != nil {
			t.Fatal(err)
		}
		sum, most := 0.0, 0.0
		for i, want := range readPublished(t).Weights {
			off := math.Abs(float64(host[16*i]) - want)
			sum, most = sum+off, max(most, off)
		}
		t.Logf("%s: the weights are %.1e off on average, at most %.1e", set.name, sum/256, most)
		if sum/256 > 2e-5 || most > 2e-3 {
			t.Errorf("the weights are %g off on average, at most %g", sum/256, most)
		}
	})
}

func zeroCodes(t *testing.T, d *Device, n int) accelerators.Dynamic8 {
	scales := alloc(t, d, n/dynamic8Block)
	d.Fill(scales, 0)
	return accelerators.Dynamic8{Codes: ints(t, d, make([]int32, n/4)...), Scales: scales}
}

func TestTheCodesAreThoseOfBitsandbytes(t *testing.T) {
	p := readPublished(t)
	signed, unsigned := p.Signed, p.Unsigned
	var first, second []float64
	for code := range 256 {
		first = append(first, float64(dynamicMaps.first(byte(code), 1)))
		second = append(second, float64(dynamicMaps.second(byte(code), 1)))
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
			got := float64(dynamicMaps.first(dynamicMaps.firstCode(s), 1))
			if off := math.Abs(got - float64(s)); off > nearest(signed, float64(s))+2e-6*float64(x) {
				t.Fatalf("%g becomes %g, %g off, where %g would do", s, got, off, nearest(signed, float64(s)))
			}
		}
		got := float64(dynamicMaps.second(byte(dynamicMaps.unsigned.code(x)), 1))
		if want := max(float64(x), unsigned[1]); math.Abs(got-want) > nearest(unsigned, want)+2e-6*want {
			t.Fatalf("without sign %g becomes %g", x, got)
		}
	}
}

func TestEveryCodeIsThatOfItsNumber(t *testing.T) {
	for code := range 256 {
		if x := dynamicMaps.first(byte(code), 1); dynamicMaps.firstCode(x) != byte(code) {
			t.Errorf("code %d stands for %g, which gets %d", code, x, dynamicMaps.firstCode(x))
		}
		if x := dynamicMaps.second(byte(code), 1); code > 0 && dynamicMaps.unsigned.code(x) != uint32(code) {
			t.Errorf("code %d stands for %g, which gets %d", code, x, dynamicMaps.unsigned.code(x))
		}
	}
}
