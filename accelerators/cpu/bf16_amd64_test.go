//go:build !purego

package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/cpu"
	"pgregory.net/rapid"

	"github.com/carebot-llm/carebot/accelerators/acceltest"
)

// pairDot is VDPBF16PS: the upper products first, both fused.
func pairDot(sum, x, y float32) float32 {
	a, b := math.Float32bits(x), math.Float32bits(y)
	upper := func(bits uint32) float64 { return float64(math.Float32frombits(bits &^ 0xffff)) }
	sum = float32(upper(a)*upper(b) + float64(sum))
	return float32(upper(a<<16)*upper(b<<16) + float64(sum))
}

func tilePairsGeneric(words int, a []float32, rowStep, colStep int, b, c []float32, ldc, m, n int, alpha float32,
	add bool) {
	for i := range m {
		for j := range n {
			var sum float32
			for p := range words {
				sum = pairDot(sum, a[i*rowStep+p*colStep], b[p*64+j])
			}
			storeTile(c[i*ldc+j:][:1], []float32{sum}, alpha, add)
		}
	}
}

// pairOperand is n pairs that end where readable memory ends.
func pairOperand(t testing.TB, r *rand.Rand, n int) []float32 {
	x := operand(t, r, n)
	for i, v := range x {
		low := math.Float32bits(roundBF16(float32(r.NormFloat64()))) >> 16
		x[i] = math.Float32frombits(math.Float32bits(roundBF16(v)) | low)
	}
	return x
}

func requirePairs(t testing.TB) {
	if !cpu.X86.HasAVX512BF16 {
		t.Skip("the processor has no AVX512_BF16")
	}
}

func TestTilesOfPairsAgreeWithPlainGo(t *testing.T) {
	requirePairs(t)
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.IntRange(1, 40).Draw(rt, "words")
		m, n := rapid.IntRange(1, tileRows).Draw(rt, "m"), rapid.IntRange(1, 64).Draw(rt, "n")
		ldc := n + rapid.IntRange(0, 5).Draw(rt, "slack")
		add := rapid.Bool().Draw(rt, "add")
		rowStep, colStep := words, 1
		if rapid.Bool().Draw(rt, "trans") {
			rowStep, colStep = 1, m
		}
		r := rand.New(rand.NewPCG(uint64(words), uint64(n)))
		a, b, c := pairOperand(t, r, m*words), pairOperand(t, r, words*64), operand(t, r, (m-1)*ldc+n)
		want := clone(t, c)
		tilePairsGeneric(words, a, rowStep, colStep, b, want, ldc, m, n, 0.5, add)
		tilePairs(words, a, rowStep, colStep, b, c, ldc, m, n, 0.5, add)
		for i := range c {
			if math.Float32bits(want[i]) != math.Float32bits(c[i]) {
				t.Fatalf("%dx%d of %d words: element %d is %v, want %v", m, n, words, i, c[i], want[i])
			}
		}
	})
}

func TestPairsLeaveFloatKernelsAlone(t *testing.T) {
	requirePairs(t)
	want, got := fingerprint(t, 1, &avx512Set), fingerprint(t, 1, &avx512BF16Set)
	for i := range want {
		if want[i].Op == acceltest.FingerprintBF16 {
			want[i], got[i] = acceltest.Print{}, acceltest.Print{}
		}
	}
	acceltest.Same(t, want, got)
}

// BenchmarkPairPeak is the most that VDPBF16PS can do on one thread, for comparison.
func BenchmarkPairPeak(b *testing.B) {
	requirePairs(b)
	flops := 0.0
	for b.Loop() {
		flops += peakPairs(nil, 4)
	}
	b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
