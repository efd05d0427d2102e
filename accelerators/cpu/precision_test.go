package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/adam"
)

// across is float32 from end to end: every stride-th bit pattern, and of each exponent the first and last mantissas,
// with both signs; zeros, denormals, infinities and NaNs are among them.
func across() []float32 {
	stride := uint64(16381) // prime, so that all low bits occur
	if testing.Short() {
		stride = 60013
	}
	var x []float32
	for bits := uint64(0); bits < 1<<32; bits += stride {
		x = append(x, math.Float32frombits(uint32(bits)))
	}
	for exponent := range uint32(512) { // the sign is the highest bit of these nine
		for _, mantissa := range []uint32{0, 1, 2, 1<<22 - 1, 1 << 22, 1<<23 - 2, 1<<23 - 1} {
			x = append(x, math.Float32frombits(exponent<<23|mantissa))
		}
	}
	return x
}

// unit is the unit in the last place of a float32 of that size.
func unit(x float64) float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return 0
	}
	_, exponent := math.Frexp(x)
	return math.Ldexp(1, max(exponent, -125)-24)
}

// A bound is how far a float32 may be from the exact result: units in the last place of the result or of the terms that
// it is the sum of, and where results are that small, an absolute error.
type bound struct {
	units float64
	small float64
}

// worst notes the largest error of the kernels of one set, and where it was.
type worst struct {
	of    string
	units float64
	at    float32
}

// check fails the test when got is further from want than the bound allows. The size is that of the largest term.
func (b bound) check(t *testing.T, w *worst, what string, x, got float32, want, size float64) {
	t.Helper()
	g := float64(got)
	if g == want || (g != g && want != want) || float64(float32(want)) == g {
		return
	}
	size = min(max(size, math.Abs(want)), math.MaxFloat32)
	miss := math.Abs(g-want) / unit(size)
	overflow := math.IsInf(g, 0) && math.Signbit(g) == math.Signbit(want)
	if overflow && math.Abs(want) > math.MaxFloat32-b.units*unit(size) || math.Abs(g-want) <= b.small {
		return
	}
	if !(miss <= b.units) {
		t.Fatalf("%s %s(%v) = %v, want %v: %.3g units off", w.of, what, x, got, want, miss)
	}
	if miss > w.units {
		w.units, w.at = miss, x
	}
}

func sigmoid64(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// times is a*b with infinity times nothing being nothing.
func times(a, b float64) float64 {
	if b == 0 && a == a {
		return 0
	}
	return a * b
}

func gelu64(x float64) float64 { return times(x, math.Erfc(-x/math.Sqrt2)/2) }

func geluGrad64(x float64) float64 {
	return math.Erfc(-x/math.Sqrt2)/2 + times(x, math.Exp(-x*x/2)/math.Sqrt(2*math.Pi))
}

// geluArgument is the argument of the sigmoid in geluTanh.
func geluArgument(x float64) float64 { return math.Sqrt(8/math.Pi) * (x + 0.044715*x*x*x) }

func geluTanhGrad64(x float64) float64 {
	a, slope := geluArgument(x), math.Sqrt(8/math.Pi)*(1+3*0.044715*x*x)
	return sigmoid64(a) + times(x*slope, sigmoid64(a)*sigmoid64(-a))
}

// activations are the kernels of one argument, all others being 1. A size, where there is one, is that of the terms of
// which a result may be the difference.
var activations = []struct {
	name string
	bound
	run  func(s *kernelSet, y, x, ones []float32)
	want func(x float64) float64
	size func(x float64) float64
}{
	{name: "exp", bound: bound{2, 0x1p-126},
		run:  func(s *kernelSet, y, x, _ []float32) { copy(y, x); s.expSum(y, 1, 0) },
		want: math.Exp},
	{name: "swiglu", bound: bound{4, 0x1p-120},
		run:  func(s *kernelSet, y, x, ones []float32) { s.swiglu(y, x, ones) },
		want: func(x float64) float64 { return times(x, sigmoid64(x)) }},
	{name: "swigluGrad's dup", bound: bound{4, 0x1p-119},
		run:  func(s *kernelSet, y, x, ones []float32) { s.swigluGrad(make([]float32, len(y)), y, ones, x, ones) },
		want: func(x float64) float64 { return times(x, sigmoid64(x)) }},
	{name: "swigluGrad's dgate", bound: bound{6, 0x1p-119},
		run: func(s *kernelSet, y, x, ones []float32) { s.swigluGrad(y, make([]float32, len(y)), ones, x, ones) },
		want: func(x float64) float64 {
			return sigmoid64(x) + times(times(x, sigmoid64(x)), sigmoid64(-x))
		},
		size: sigmoid64},
	{name: "gelu", bound: bound{8, 0x1p-126},
		run:  func(s *kernelSet, y, x, _ []float32) { s.gelu(y, x) },
		want: gelu64},
	{name: "geluGrad", bound: bound{8, 0x1p-119},
		run:  func(s *kernelSet, y, x, ones []float32) { s.geluGrad(y, ones, x) },
		want: geluGrad64,
		size: func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }},
	{name: "geluTanh", bound: bound{6, 0x1p-119},
		run:  func(s *kernelSet, y, x, _ []float32) { s.geluTanh(y, x) },
		want: func(x float64) float64 { return times(x, sigmoid64(geluArgument(x))) },
		size: func(x float64) float64 {
			a := geluArgument(x)
			return max(1, -a) * math.Abs(times(x, sigmoid64(a)))
		}},
	{name: "geluTanhGrad", bound: bound{6, 0x1p-118},
		run:  func(s *kernelSet, y, x, ones []float32) { s.geluTanhGrad(y, ones, x) },
		want: geluTanhGrad64,
		size: func(x float64) float64 {
			a := geluArgument(x)
			return times(max(1, -a), max(sigmoid64(a), math.Abs(geluTanhGrad64(x))))
		}},
	{name: "tanh", bound: bound{2, 0},
		run:  func(s *kernelSet, y, x, _ []float32) { s.tanh(y, x) },
		want: math.Tanh},
	{name: "tanhGrad", bound: bound{2, 0},
		run:  func(s *kernelSet, y, x, ones []float32) { s.tanhGrad(y, ones, x) },
		want: func(x float64) float64 { return (1 - x) * (1 + x) }},
}

func TestActivationsAreWithinTheirBoundsForEveryFloat(t *testing.T) {
	x := across()
	y, ones := make([]float32, len(x)), make([]float32, len(x))
	fill(ones, 1)
	for _, c := range activations {
		want, size := make([]float64, len(x)), make([]float64, len(x))
		for i, v := range x {
			if want[i] = c.want(float64(v)); c.size != nil {
				size[i] = c.size(float64(v))
			}
		}
		for _, set := range testedSets(t) {
			w := worst{of: set.name}
			c.run(set, y, x, ones)
			for i, v := range x {
				c.check(t, &w, c.name, v, y[i], want[i], size[i])
			}
			t.Logf("%s %s: at most %.2f units off, at %v", set.name, c.name, w.units, w.at)
		}
	}
}

// TestSoftmaxIsWithinItsBounds: the argument of an exponential is rounded too, so the bound grows with its size.
func TestSoftmaxIsWithinItsBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, set := range testedSets(t) {
		w := worst{of: set.name}
		for _, n := range []int{1, 2, 17, 1000, 32000} {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(8 * r.NormFloat64())
			}
			y, top := append([]float32(nil), x...), set.max(x)
			sum := set.expSum(y, 1, top)
			set.scale(y, 1/sum)
			total := 0.0
			for _, v := range x {
				total += math.Exp(float64(v) - float64(top))
			}
			for i, v := range x {
				from := float64(v) - float64(top)
				bound{units: 8 - from, small: 0x1p-126}.check(t, &w, "softmax", v, y[i], math.Exp(from)/total, 0)
			}
		}
		t.Logf("%s softmax: at most %.2f units off", set.name, w.units)
	}
}

// normed runs both norms on rows of the width and returns what they left.
func normed(t *testing.T, set *kernelSet, x, w, b []float32) (rms, rstd, layer, mean, deviation []float32) {
	t.Helper()
	d := newDevice(1, set)
	width, rows := len(w), len(x)/len(w)
	xb, wb, bb, yb, mb, sb := alloc(t, d, len(x)), alloc(t, d, width), alloc(t, d, width), alloc(t, d, len(x)),
		alloc(t, d, rows), alloc(t, d, rows)
	d.UploadF32(xb, x)
	d.UploadF32(wb, w)
	d.UploadF32(bb, b)
	download := func(from accelerators.Buffer) []float32 {
		to := make([]float32, from.Len)
		if err := d.DownloadF32(to, from); err != nil {
			t.Fatal(err)
		}
		return to
	}
	d.RMSNorm(yb, sb, xb, wb, width, 1e-36)
	rms, rstd = download(yb), download(sb)
	d.LayerNorm(yb, mb, sb, xb, wb, bb, width, 1e-36)
	return rms, rstd, download(yb), download(mb), download(sb)
}

func TestNormsAreWithinTheirBoundsForValuesOfAnySize(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, set := range testedSets(t) {
		w := worst{of: set.name}
		for _, width := range []int{1, 2, 17, 768, 8192} {
			for _, scale := range []float64{1e-42, 1e-30, 1e-13, 1, 1e10, 1e25, 1e37} {
				checkNorms(t, &w, set, r, width, scale)
			}
		}
		t.Logf("%s norms: at most %.2f units off, at %v", set.name, w.units, w.at)
	}
}

func checkNorms(t *testing.T, w *worst, set *kernelSet, r *rand.Rand, width int, scale float64) {
	x, weight, shift := make([]float32, width), make([]float32, width), make([]float32, width)
	sum, squares, apart := 0.0, 0.0, 0.0
	for i := range x {
		x[i], weight[i], shift[i] = float32(scale*r.NormFloat64()), float32(r.NormFloat64()), float32(r.NormFloat64())
		sum, squares = sum+float64(x[i]), squares+float64(x[i])*float64(x[i])
	}
	rms, rstd, layer, mean, deviation := normed(t, set, x, weight, shift)
	n := float64(width)
	for _, v := range x {
		apart += (float64(v) - sum/n) * (float64(v) - sum/n)
	}
	size := math.Sqrt(squares / n)
	name := fmt.Sprintf("width %d scale %g", width, scale)
	wantR, wantD := 1/math.Sqrt(squares/n+1e-36), 1/math.Sqrt(apart/n+1e-36)
	bound{units: normUnits}.check(t, w, name+" rstd", 0, rstd[0], wantR, 0)
	bound{units: normUnits}.check(t, w, name+" mean", 0, mean[0], sum/n, size)
	if width > 1 {
		bound{units: normUnits}.check(t, w, name+" deviation", 0, deviation[0], wantD, 0)
	}
	for i, v := range x {
		y := float64(v) * wantR * float64(weight[i])
		bound{units: normUnits}.check(t, w, name+" RMSNorm", v, rms[i], y, 0)
		y = (float64(v) - sum/n) * wantD * float64(weight[i])
		terms := max(math.Abs(float64(shift[i])), size*wantD*math.Abs(float64(weight[i])))
		bound{units: normUnits}.check(t, w, name+" LayerNorm", v, layer[i], y+float64(shift[i]), terms)
	}
}

// normUnits is the norms' bound.
const normUnits = 8

// TestAdamWIsWithinItsBoundsForEveryFloat takes each operand through all floats while the others stay ordinary.
func TestAdamWIsWithinItsBoundsForEveryFloat(t *testing.T) {
	s := accelerators.AdamW{LR: 0.01, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, Step: 3}
	f, x := adam.FactorsOf(s), []float32(nil)
	f[adam.GradScale] = 0.5
	for i, v := range across() {
		if i%5 == 0 {
			x = append(x, v)
		}
	}
	for _, set := range testedSets(t) {
		w := worst{of: set.name}
		for which := range 4 {
			var in, out [4][]float32
			for i := range in {
				in[i] = make([]float32, len(x))
				fill(in[i], []float32{0.3, -0.2, 0.1, 0.04}[i])
			}
			copy(in[which], x)
			for i := range in {
				out[i] = append([]float32(nil), in[i]...)
			}
			set.adamw(out[0], out[1], out[2], out[3], &f)
			for i, v := range x {
				before := [4]float32{in[0][i], in[1][i], in[2][i], in[3][i]}
				after := [3]float32{out[0][i], out[2][i], out[3][i]}
				checkAdamW(t, &w, v, before, after, &f)
			}
		}
		t.Logf("%s AdamW: at most %.2f units off, at %v", set.name, w.units, w.at)
	}
}

func checkAdamW(t *testing.T, w *worst, x float32, in [4]float32, out [3]float32, f *adamwFactors) {
	c := func(i int) float64 { return float64(f[i]) }
	p, m, v := float64(in[0]), float64(in[2]), float64(in[3])
	g := float64(float32(float64(in[1]) * c(adam.GradScale)))
	b := bound{units: 4}
	wantM := c(adam.Beta1)*m + c(adam.Keep1)*g
	b.check(t, w, "m", x, out[1], wantM, math.Abs(c(adam.Beta1)*m))
	wantV := c(adam.Beta2)*v + c(adam.Keep2)*g*g
	b.check(t, w, "v", x, out[2], wantV, math.Abs(c(adam.Beta2)*v))
	update := c(adam.Rate) * float64(out[1]) / (c(adam.RootScale)*math.Sqrt(float64(out[2])) + c(adam.Epsilon))
	b.check(t, w, "param", x, out[0], c(adam.Decay)*p-update, math.Abs(c(adam.Decay)*p))
}
