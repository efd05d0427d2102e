//go:build !purego

package cpu

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

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

// sixteenPairs is TDPBF16PS for one sum: the first values of 16 pairs, and the second ones, are summed apart.
func sixteenPairs(sum float32, x, y func(pair int) float32) float32 {
	upper := func(bits uint32) float64 { return float64(math.Float32frombits(bits &^ 0xffff)) }
	var first, second float32
	for i := range 16 {
		a, b := math.Float32bits(x(i)), math.Float32bits(y(i))
		first = float32(upper(a<<16)*upper(b<<16) + float64(first))
		second = float32(upper(a)*upper(b) + float64(second))
	}
	return sum + (first + second)
}

func tileAMXGeneric(pairs int, a []float32, rowStep int, b, c []float32, ldc, m, n int, alpha float32, add bool) {
	for i := range m {
		for j := range n {
			var sum float32
			for p := 0; p < pairs; p += 16 {
				sum = sixteenPairs(sum, func(q int) float32 { return a[i*rowStep+p+q] },
					func(q int) float32 { return b[(p+q)*amxColumns+j] })
			}
			storeTile(c[i*ldc+j:][:1], []float32{sum}, alpha, add)
		}
	}
}

func requireAMX(t testing.TB) {
	if !slices.Contains(supportedSets(), &amxSet) {
		t.Skip("the processor has no AMX, or the system does not allow it")
	}
}

func TestTilesOfAMXAgreeWithPlainGo(t *testing.T) {
	requireAMX(t)
	rapid.Check(t, func(rt *rapid.T) {
		pairs := 16 * rapid.IntRange(1, 20).Draw(rt, "pairs/16")
		m, n := rapid.IntRange(1, 100).Draw(rt, "m"), rapid.IntRange(1, amxColumns).Draw(rt, "n")
		ldc, rowStep := n+rapid.IntRange(0, 5).Draw(rt, "slack"), pairs+rapid.IntRange(0, 5).Draw(rt, "slack of a")
		add := rapid.Bool().Draw(rt, "add")
		r := rand.New(rand.NewPCG(uint64(pairs), uint64(n)))
		a, b := pairOperand(t, r, (lines(m)-1)*rowStep+pairs), pairOperand(t, r, pairs*amxColumns)
		c := operand(t, r, (m-1)*ldc+n)
		want := clone(t, c)
		tileAMXGeneric(pairs, a, rowStep, b, want, ldc, m, n, 0.5, add)
		tileAMX(&scratch{}, pairs, a, rowStep, b, c, ldc, m, n, 0.5, add)
		for i := range c {
			// The sum with what was there is fused.
			if diff := math.Abs(float64(want[i] - c[i])); diff > 0 && !(add && diff <= 1e-6*math.Abs(float64(want[i]))) {
				t.Fatalf("%dx%d of %d pairs: element %d is %v, want %v", m, n, pairs, i, c[i], want[i])
			}
		}
	})
}

// TestTilesSurviveInterruptions: the system has to keep tiles for threads that it stops, and signals come in between.
func TestTilesSurviveInterruptions(t *testing.T) {
	requireAMX(t)
	const threads, m, pairs = 16, amxRows, 512
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	r := rand.New(rand.NewPCG(1, 2))
	a, b := pairOperand(t, r, m*pairs), pairOperand(t, r, pairs*amxColumns)
	product := func(s *scratch, c []float32) {
		tileAMX(s, pairs, a, pairs, b, c, amxColumns, m, amxColumns, 1, false)
	}
	want := make([]float32, m*amxColumns)
	product(&scratch{}, want)
	stop := time.Now().Add(300 * time.Millisecond)
	var workers sync.WaitGroup
	for range threads {
		workers.Go(func() {
			s, c := &scratch{}, make([]float32, m*amxColumns)
			for time.Now().Before(stop) {
				product(s, c)
				if !slices.Equal(c, want) {
					t.Error("a product differs")
					return
				}
			}
		})
	}
	for time.Now().Before(stop) {
		runtime.GC() // stops all threads, by signals
	}
	workers.Wait()
}

func TestPairsLeaveFloatKernelsAlone(t *testing.T) {
	requirePairs(t)
	want := fingerprint(t, 1, &avx512Set)
	for _, set := range supportedSets() {
		if set.peakBF16 == nil {
			continue
		}
		got := fingerprint(t, 1, set)
		for i := range want {
			if got[i].Op == acceltest.FingerprintBF16 {
				want[i], got[i] = acceltest.Print{}, acceltest.Print{}
			}
		}
		acceltest.Same(t, want, got)
	}
}

// BenchmarkPeakBF16 is the most that the instructions for bfloat16 do on one thread, for comparison.
func BenchmarkPeakBF16(b *testing.B) {
	for _, set := range testedSets(b) {
		if set.peakBF16 == nil {
			continue
		}
		b.Run(set.name, func(b *testing.B) {
			flops, s := 0.0, &scratch{}
			for b.Loop() {
				flops += set.peakBF16(s, 4)
			}
			b.ReportMetric(flops/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
