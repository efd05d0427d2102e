package acceltest

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

const beta1, beta2, rate, eps, decay, clip = 0.9, 0.95, 0.01, 1e-8, 0.1, 0.5

// adamwAt is a step of a gradient whose norm is said to be 2.
func (r *rig) adamwAt(step int) accelerators.AdamW {
	return accelerators.AdamW{LR: rate, Beta1: beta1, Beta2: beta2, Eps: eps, WeightDecay: decay, Step: step, Seed: 5,
		Squared: r.upload([]float64{4}), MaxNorm: 2 * clip}
}

// adamwStep is a step of a weight, with the moments after it.
func adamwStep(p, g, m, v float64, step int) (weight, first, second float64) {
	m = beta1*m + (1-beta1)*clip*g
	v = beta2*v + (1-beta2)*clip*g*clip*g
	m1, v1 := m/(1-math.Pow(beta1, float64(step))), v/(1-math.Pow(beta2, float64(step)))
	return p - rate*m1/(math.Sqrt(v1)+eps) - rate*decay*p, m, v
}

func testAdamW(r *rig) {
	r.run("clipping", testClipping)
	for _, n := range []int{1, 17, 65, 20000} {
		p, m, v := r.normal(n), make([]float64, n), make([]float64, n)
		param, first, second := r.upload(p), r.upload(m), r.upload(v)
		for step := 1; step <= 4; step++ {
			g := r.normal(n)
			r.dev.AdamW(param, r.upload(g), first, second, r.adamwAt(step))
			for i := range p {
				p[i], m[i], v[i] = adamwStep(p[i], g[i], m[i], v[i], step)
			}
		}
		r.expect("m", first, m, reduced)
		r.expect("v", second, v, reduced)
		r.expect("param", param, p, reduced)
		r.reset()
	}
}

// testClipping wants a gradient multiplied by what its norm asks for, and no step where that is not finite.
func testClipping(r *rig) {
	for _, c := range []struct{ squared, most, moment float64 }{
		{4, 0, 1}, {4, 3, 1}, {4, 2, 1}, {4, 0.5, 0.25}, {math.NaN(), 1, 0}, {math.Inf(1), 1, 0}, {math.Inf(1), 0, 0},
	} {
		param, m, v := r.upload([]float64{3}), r.upload([]float64{0}), r.upload([]float64{0})
		r.dev.AdamW(param, r.upload([]float64{1}), m, v, accelerators.AdamW{LR: 1, Beta1: 0.5, Beta2: 0.5, Step: 1,
			Squared: r.upload([]float64{c.squared}), MaxNorm: c.most})
		r.expect("m", m, []float64{c.moment / 2}, elementwise)
		if c.moment == 0 {
			r.expect("param", param, []float64{3}, exactly)
		}
	}
}

// zeros is a window of n integers.
func (r *rig) zeros(n int) accelerators.Buffer { return r.uploadInts(make([]int32, n)) }

// testAdamWBF16 goes on from the moments that the device has rounded: each is a neighbour of the exact one, and all
// together are as often above as below.
func testAdamWBF16(r *rig) {
	for _, n := range []int{1, 16, 17, 63, 20001} {
		p, m, v := r.normal(n), make([]float64, n), make([]float64, n)
		param, first, second := r.upload(p), r.zeros((n+1)/2), r.zeros((n+1)/2)
		for step := 1; step <= 3; step++ {
			g := r.normal(n)
			r.dev.AdamWBF16(param, r.upload(g), first, second, r.adamwAt(step))
			for i := range p {
				p[i], m[i], v[i] = adamwStep(p[i], g[i], m[i], v[i], step)
			}
			r.expect("param", param, p, reduced)
			r.neighbours("m", r.bf16(first, n), m)
			r.neighbours("v", r.bf16(second, n), v)
			p, m, v = widest(r.download(param)), r.bf16(first, n), r.bf16(second, n)
		}
		r.reset()
	}
}

// bf16 is n numbers from words of two.
func (r *rig) bf16(words accelerators.Buffer, n int) []float64 {
	x, packed := make([]float64, n), r.downloadInts(words)
	for i := range x {
		x[i] = float64(math.Float32frombits(uint32(packed[i/2]) >> (16 * (i % 2)) << 16))
	}
	return x
}

func widest(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// neighbours wants each number to be next to the exact one, less than a unit of the last of 8 bits off, and their errors to
// cancel: of n errors of up to a unit the mean is within a few of 1/sqrt(n).
func (r *rig) neighbours(name string, got, exact []float64) {
	r.t.Helper()
	sum := 0.0
	for i, x := range exact {
		unit := math.Ldexp(1, max(-126, math.Ilogb(x))-7)
		off := (got[i] - x) / unit
		if math.Abs(got[i]-x) > unit+3e-7 { // of terms of size one the sum is as inexact
			r.t.Fatalf("%s[%d] = %v, %v units from %v", name, i, got[i], off, x)
		}
		sum += max(-1, min(1, math.Copysign(off, off*x)))
	}
	if mean := sum / float64(len(exact)); math.Abs(mean) > 4/math.Sqrt(float64(len(exact))) {
		r.t.Errorf("%s is %v units off on average", name, mean)
	}
}

// testAdamW8Bit goes on from the moments that the device has rounded: each is the nearest that the codes have.
func testAdamW8Bit(r *rig) {
	for _, n := range []int{1, 17, 255, 256, 259, 5000} {
		for _, size := range []float64{1, 1e-9, 1e9} {
			p, m, v := r.normal(n), make([]float64, n), make([]float64, n)
			param, first, second := r.upload(p), r.dynamic8(n), r.dynamic8(n)
			for step := 1; step <= 3; step++ {
				g := r.spread(n, size)
				r.dev.AdamW8Bit(param, r.upload(g), first, second, r.adamwAt(step))
				for i := range p {
					p[i], m[i], v[i] = adamwStep(p[i], g[i], m[i], v[i], step)
				}
				r.expect("param", param, p, reduced)
				m, v = r.nearest("m", first, m, signedShares()), r.nearest("v", second, v, shares(2, 1))
				p = widest(r.download(param))
			}
			r.reset()
		}
	}
	r.run("of zeros nothing comes", func(r *rig) {
		param, first, second := r.upload(make([]float64, 300)), r.dynamic8(300), r.dynamic8(300)
		r.dev.AdamW8Bit(param, r.upload(make([]float64, 300)), first, second, r.adamwAt(1))
		r.expect("param", param, make([]float64, 300), exactly)
		r.expect("scales", second.Scales, make([]float64, 2), exactly)
	})
}

// spread is n numbers whose sizes lie five powers of ten apart, one in four zero.
func (r *rig) spread(n int, size float64) []float64 {
	x := r.normal(n)
	for i := range x {
		x[i] = float64(float32(x[i] * size * math.Pow10(-i%6)))
		if i%4 == 3 {
			x[i] = 0
		}
	}
	return x
}

func (r *rig) dynamic8(n int) accelerators.Dynamic8 {
	return accelerators.Dynamic8{
		Codes:  r.zeros((n + 3) / 4),
		Scales: r.upload(make([]float64, (n+accelerators.Dynamic8Block-1)/accelerators.Dynamic8Block)),
	}
}

// shares are the codes' shares of the scale: so many cells are in the lowest of seven decades, and code whole is 1.
func shares(lowest, whole int) [256]float64 {
	var x [256]float64
	size := 1e-6
	for cells := lowest; cells < 64*lowest+1; cells *= 2 {
		for i := range cells {
			x[cells+i] = size * (0.1 + 0.9*(float64(i)+0.5)/float64(cells))
		}
		size *= 10
	}
	x[whole] = 1
	return x
}

func signedShares() [256]float64 {
	x := shares(1, 128)
	for i := 129; i < 256; i++ {
		x[i] = -x[i-128]
	}
	return x
}

// nearest wants what a device holds to be the nearest to the exact numbers, and returns it. Without a sign only a block
// of zeros has zeros.
func (r *rig) nearest(name string, b accelerators.Dynamic8, exact []float64, shares [256]float64) []float64 {
	r.t.Helper()
	got, packed, scales := make([]float64, len(exact)), r.downloadInts(b.Codes), r.download(b.Scales)
	for i, x := range exact {
		scale := float64(scales[i/accelerators.Dynamic8Block])
		got[i] = scale * shares[packed[i/4]>>(8*(i%4))&255]
		least := math.Inf(1)
		for code, share := range shares {
			if shares[255] < 0 || code > 0 || scale == 0 {
				least = min(least, math.Abs(share*scale-x))
			}
		}
		// A moment is a sum of two terms that may be much larger.
		if off := math.Abs(got[i] - x); !(off <= least+1e-5*math.Abs(x)+2e-9*scale) {
			r.t.Fatalf("%s[%d] = %v, %v from %v where %v can be", name, i, got[i], off, x, least)
		}
	}
	return got
}
