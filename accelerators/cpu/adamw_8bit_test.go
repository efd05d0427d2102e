package cpu

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// publishedWeights are each 16th of the weights that bitsandbytes has after some steps.
func publishedWeights(t *testing.T) []float64 {
	t.Helper()
	raw, err := os.ReadFile("../dynamic8/testdata/dynamic8.json")
	if err != nil {
		t.Fatal(err)
	}
	var published struct{ Weights []float64 }
	if err := json.Unmarshal(raw, &published); err != nil {
		t.Fatal(err)
	}
	return published.Weights
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
		for i, want := range publishedWeights(t) {
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
