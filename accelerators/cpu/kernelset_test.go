package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// testedAssembly are the tested sets but the generic one.
func testedAssembly(t testing.TB) []*kernelSet {
	return slices.DeleteFunc(testedSets(t), func(s *kernelSet) bool { return s == &genericSet })
}

// assembly runs a test for each of them.
func assembly(t *testing.T, f func(*testing.T, *kernelSet)) {
	for _, set := range testedAssembly(t) {
		t.Run(set.name, func(t *testing.T) { f(t, set) })
	}
}

// operand is n floats that end where readable memory ends, so that a kernel which reads or writes on stops the test.
func operand(t testing.TB, r *rand.Rand, n int) []float32 {
	x := guarded(t, n)
	for i := range x {
		x[i] = float32(2 * r.NormFloat64())
	}
	return x
}

func clone(t testing.TB, x []float32) []float32 {
	y := guarded(t, len(x))
	copy(y, x)
	return y
}

func near(t *testing.T, what string, n int, want, got []float32) {
	t.Helper()
	close := cmpopts.EquateApprox(1e-5, 3e-5)
	if diff := cmp.Diff(want, got, close, cmpopts.EquateNaNs()); diff != "" {
		t.Fatalf("%s of %d differs from plain Go (-want +got):\n%s", what, n, diff)
	}
}

var rowLengths = []int{1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 129}

// A rowCase runs one row kernel on operands, which it may overwrite.
type rowCase struct {
	name     string
	operands int
	run      func(s *kernelSet, x [][]float32) float32
}

var rowCases = []rowCase{
	{"dot", 2, func(s *kernelSet, x [][]float32) float32 { return s.dot(x[0], x[1]) }},
	{"dot3", 3, func(s *kernelSet, x [][]float32) float32 { return s.dot3(x[0], x[1], x[2]) }},
	{"sum", 1, func(s *kernelSet, x [][]float32) float32 { return s.sum(x[0]) }},
	{"squares", 1, func(s *kernelSet, x [][]float32) float32 { return s.squares(x[0], 0.4) }},
	{"centredSums", 3, func(s *kernelSet, x [][]float32) float32 {
		sum, inner := s.centredSums(x[0], x[1], x[2], 0.4)
		return sum + 3*inner
	}},
	{"dot64", 2, func(s *kernelSet, x [][]float32) float32 { return float32(s.dot64(x[0], x[1])) }},
	{"mul", 3, func(s *kernelSet, x [][]float32) float32 { s.mul(x[0], x[1], x[2]); return 0 }},
	{"copy", 2, func(s *kernelSet, x [][]float32) float32 { s.copy(x[0], x[1]); return 0 }},
	{"fill", 1, func(s *kernelSet, x [][]float32) float32 { s.fill(x[0], -0.3); return 0 }},
	{"tanh", 2, func(s *kernelSet, x [][]float32) float32 { s.tanh(x[0], x[1]); return 0 }},
	{"tanhGrad", 3, func(s *kernelSet, x [][]float32) float32 { s.tanhGrad(x[0], x[1], x[2]); return 0 }},
	{"layerNorm", 4, func(s *kernelSet, x [][]float32) float32 {
		s.layerNorm(x[0], x[1], x[2], x[3], 0.4, 0.7)
		return 0
	}},
	{"layerNormGrad", 6, func(s *kernelSet, x [][]float32) float32 {
		s.layerNormGrad(x[0], x[1], x[2], x[3], x[4], x[5], 0.4, 0.7, 0.2, 0.3)
		return 0
	}},
	{"max", 1, func(s *kernelSet, x [][]float32) float32 { return s.max(x[0]) }},
	{"expSum", 1, func(s *kernelSet, x [][]float32) float32 { return s.expSum(x[0], 0.7, 1.5) }},
	{"add", 3, func(s *kernelSet, x [][]float32) float32 { s.add(x[0], x[1], x[2]); return 0 }},
	{"axpy", 2, func(s *kernelSet, x [][]float32) float32 { s.axpy(x[0], x[1], -0.3); return 0 }},
	{"scale", 1, func(s *kernelSet, x [][]float32) float32 { s.scale(x[0], 1.7); return 0 }},
	{"scaleMul", 3, func(s *kernelSet, x [][]float32) float32 { s.scaleMul(x[0], x[1], x[2], 0.9); return 0 }},
	{"rotate", 4, func(s *kernelSet, x [][]float32) float32 { s.rotate(x[0], x[1], x[2], x[3], -1); return 0 }},
	{"softmaxGrad", 2, func(s *kernelSet, x [][]float32) float32 { s.softmaxGrad(x[0], x[1], 0.4, 0.6); return 0 }},
	{"swiglu", 3, func(s *kernelSet, x [][]float32) float32 { s.swiglu(x[0], x[1], x[2]); return 0 }},
	{"gelu", 2, func(s *kernelSet, x [][]float32) float32 { s.gelu(x[0], x[1]); return 0 }},
	{"geluGrad", 3, func(s *kernelSet, x [][]float32) float32 { s.geluGrad(x[0], x[1], x[2]); return 0 }},
	{"geluTanh", 2, func(s *kernelSet, x [][]float32) float32 { s.geluTanh(x[0], x[1]); return 0 }},
	{"geluTanhGrad", 3, func(s *kernelSet, x [][]float32) float32 { s.geluTanhGrad(x[0], x[1], x[2]); return 0 }},
	{"rmsNormGrad", 5, func(s *kernelSet, x [][]float32) float32 {
		s.rmsNormGrad(x[0], x[1], x[2], x[3], x[4], 0.8, 0.2)
		return 0
	}},
	{"swigluGrad", 5, func(s *kernelSet, x [][]float32) float32 {
		s.swigluGrad(x[0], x[1], x[2], x[3], x[4])
		return 0
	}},
	{"adamw", 4, func(s *kernelSet, x [][]float32) float32 {
		for i, v := range x[3] {
			x[3][i] = float32(math.Abs(float64(v)))
		}
		s.adamw(x[0], x[1], x[2], x[3], &adamwFactors{0.5, 0.9, 0.1, 0.99, 0.01, 1.5, 0.01, 0.1, 0.9})
		return 0
	}},
}

func TestRowKernelsAgreeWithPlainGo(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, c := range rowCases {
			for _, n := range rowLengths {
				var want, got [][]float32
				for range c.operands {
					x := operand(t, r, n)
					want, got = append(want, x), append(got, clone(t, x))
				}
				sum := []float32{c.run(&genericSet, want)}
				near(t, c.name+"'s result", n, sum, []float32{c.run(set, got)})
				for i := range want {
					near(t, c.name, n, want[i], got[i])
				}
			}
		}
	})
}

func TestSpecialValuesPassTheExponential(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, set := range testedSets(t) {
		x := []float32{0, -inf, inf, nan, 100, -100, -1e30, 1e30, 88, -87}
		set.expSum(x, 1, 0)
		want := []float32{1, 0, inf, nan, inf, 0, 0, inf, float32(math.Exp(88)), float32(math.Exp(-87))}
		near(t, set.name+" exp", len(x), want, x)
	}
}

func TestExponentialIsWithinTwoUnits(t *testing.T) {
	for _, set := range testedSets(t) {
		for x := float32(-87); x < 88; x += 0.0137 {
			got := []float32{x}
			set.expSum(got, 1, 0)
			if want := math.Exp(float64(x)); math.Abs(float64(got[0])-want) > 2*want/(1<<23) {
				t.Fatalf("%s: exp(%v) = %v, want %v", set.name, x, got[0], want)
			}
		}
	}
}

// tileShape is one call of a tile kernel.
type tileShape struct {
	k, m, n, ldc int
	trans, add   bool
}

func TestTilesAgreeWithPlainGo(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		rapid.Check(t, func(rt *rapid.T) {
			s := tileShape{
				k:     rapid.IntRange(1, 40).Draw(rt, "k"),
				m:     rapid.IntRange(1, tileRows).Draw(rt, "m"),
				n:     rapid.IntRange(1, set.width).Draw(rt, "n"),
				trans: rapid.Bool().Draw(rt, "trans"),
				add:   rapid.Bool().Draw(rt, "add"),
			}
			s.ldc = s.n + rapid.IntRange(0, 5).Draw(rt, "slack")
			checkTile(t, set, s)
		})
	})
}

func checkTile(t *testing.T, set *kernelSet, s tileShape) {
	r := rand.New(rand.NewPCG(uint64(s.k), uint64(s.n)))
	a, c := operand(t, r, s.m*s.k), operand(t, r, (s.m-1)*s.ldc+s.n)
	panel := operand(t, r, s.k*set.width)
	rowStep, colStep := s.k, 1
	if s.trans {
		rowStep, colStep = 1, s.m
	}
	want := append([]float32(nil), c...)
	for i := range s.m {
		for j := range s.n {
			sum := 0.0
			for p := range s.k {
				sum += float64(a[i*rowStep+p*colStep]) * float64(panel[p*set.width+j])
			}
			old := float64(want[i*s.ldc+j])
			if !s.add {
				old = 0
			}
			want[i*s.ldc+j] = float32(old + 0.5*sum)
		}
	}
	set.tile(s.k, a, rowStep, colStep, panel, c, s.ldc, s.m, s.n, 0.5, s.add)
	if diff := cmp.Diff(want, c, cmpopts.EquateApprox(1e-4, 1e-4)); diff != "" {
		t.Fatalf("tile %+v (-want +got):\n%s", s, diff)
	}
}

func TestPackingAgreesWithPlainGo(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, rows := range []int{1, 7, 8, 9, 16} {
			for _, cols := range []int{1, 7, 8, 9, 16, 17, 40} {
				src := operand(t, r, (rows-1)*50+cols)
				got, want := guarded(t, (cols-1)*20+16), make([]float32, cols*20)
				set.transpose(got, 20, src, 50, rows, cols)
				transposeGeneric(want, 20, src, 50, rows, cols)
				for j := range cols {
					near(t, "transpose", cols, want[j*20:j*20+rows], got[j*20:j*20+rows])
				}
			}
		}
		for _, depth := range []int{1, 2, 13} {
			src := operand(t, r, (depth-1)*60+48)
			step := depth*tileRows + 2
			got, want := guarded(t, 8*step), make([]float32, 8*step)
			set.strips(got, step, src, 60, depth)
			stripsGeneric(want, step, src, 60, depth)
			for i := range 8 {
				near(t, "strips", depth, want[i*step:(i+1)*step-2], got[i*step:(i+1)*step-2])
			}
		}
	})
}

func TestKernelSetIsChosenByName(t *testing.T) {
	for _, set := range supportedSets() {
		if got, err := chooseSet(set.name); err != nil || got != set {
			t.Errorf("%s: got %v, %v", set.name, got, err)
		}
	}
	t.Setenv("CAREBOT_CPU", "avx1024")
	if _, err := open(0); err == nil {
		t.Error("a kernel set that does not exist was opened")
	}
	t.Setenv("CAREBOT_CPU", "generic")
	d, err := open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if got := d.(*Device).set.name; got != "generic" {
		t.Errorf("CAREBOT_CPU=generic opened %s", got)
	}
	if _, err := open(1); err == nil {
		t.Error("a second cpu device was opened")
	}
}
