package acceltest

import (
	"fmt"
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// bf16Shapes are M, N, K: around tiles, panels, pairs of K, and blocks of either.
var bf16Shapes = [][3]int{
	{1, 1, 1}, {1, 64, 2}, {2, 65, 3}, {5, 15, 31}, {6, 16, 32}, {7, 17, 33}, {12, 63, 34}, {13, 130, 70}, {64, 64, 64},
	{95, 48, 17}, {96, 9, 1537}, {97, 17, 1025}, {113, 3, 2049}, {99, 2049, 5}, {145, 128, 33}, {1000, 17, 65},
}

// roundedSlack bounds the error of a sum in f32, as a share of the sum of magnitudes: far below what one of the
// operands' roundings to bfloat16 is worth, far above what sums of random terms lose.
const roundedSlack = 1.0 / (1 << 20)

// toBF16 is the nearest number of 8 significant bits, ties to even, within the exponents of float32; denormals are 0.
func toBF16(x float64) float64 {
	const smallest, above = 0x1p-126, 0x1p128
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	if math.Abs(x) < smallest {
		return math.Copysign(0, x)
	}
	fraction, exponent := math.Frexp(x)
	rounded := math.Ldexp(math.RoundToEven(fraction*256), exponent-8)
	if math.Abs(rounded) >= above {
		return math.Inf(int(math.Copysign(1, x)))
	}
	return rounded
}

func allToBF16(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = toBF16(v)
	}
	return y
}

func testBF16(r *rig) {
	for _, shape := range bf16Shapes {
		for form := range 4 {
			s := accelerators.MatMul{M: shape[0], N: shape[1], K: shape[2], TransA: form&1 != 0, TransB: form&2 != 0, Alpha: 1,
				Compute: accelerators.BF16}
			r.run(fmt.Sprintf("%dx%dx%d/A^T=%v/B^T=%v", s.M, s.N, s.K, s.TransA, s.TransB), func(r *rig) {
				newBF16Case(r, s).check(r)
				s.Alpha, s.Beta = 0.5, 1
				newBF16Case(r, s).spoil(r).check(r)
				s.Beta, s.StrideA, s.StrideB, s.StrideC = -2, s.M+s.K+3, s.N+s.K+5, s.N+7
				newBF16Case(r, s).check(r)
			})
		}
	}
}

// A bf16Case is a product with its operands.
type bf16Case struct {
	accelerators.MatMul
	a, b, c matrix
	types   [3]accelerators.DType // of C, A and B
}

func newBF16Case(r *rig, s accelerators.MatMul) *bf16Case {
	return &bf16Case{MatMul: s, a: newMatrix(r, s.M, s.K, s.StrideA, s.TransA),
		b: newMatrix(r, s.K, s.N, s.StrideB, s.TransB), c: newMatrix(r, s.M, s.N, s.StrideC, false)}
}

// spoil puts infinities and what is not a number into the operands, the last element included: they must reach the
// sums that they are in and no other.
func (c *bf16Case) spoil(r *rig) *bf16Case {
	inf, nan := math.Inf(1), math.NaN()
	c.a.x[r.rand.IntN(len(c.a.x))] = nan
	c.a.x[len(c.a.x)-1] = inf
	c.b.x[r.rand.IntN(len(c.b.x))] = -inf
	c.b.x[len(c.b.x)-1] = 0
	return c
}

func (c *bf16Case) check(r *rig) {
	r.t.Helper()
	out := r.uploadAs(c.types[0], c.c.x)
	if c.Beta == 0 {
		out = r.outputAs(c.types[0], len(c.c.x))
	}
	r.dev.MatMul(out, r.uploadAs(c.types[1], c.a.x), r.uploadAs(c.types[2], c.b.x), c.MatMul)
	got, b := r.download(out), allToBF16(c.b.dense(c.K, c.N))
	want, size := make([]float64, c.N), make([]float64, c.N)
	for i := range c.M {
		c.row(want, size, i, b)
		for j := range c.N {
			slack := roundedSlack * size[j]
			if out.Type == accelerators.BF16 {
				slack += stored * math.Abs(want[j])
			}
			if g := float64(got[c.c.index(i, j)]); !within(g, want[j], slack) {
				r.t.Fatalf("%+v: c[%d,%d] = %v, want %v", c.MatMul, i, j, g, want[j])
			}
		}
	}
	r.reset()
}

// row is row i of C and the sums of the magnitudes that went into it.
func (c *bf16Case) row(want, size []float64, i int, b []float64) {
	clear(want)
	clear(size)
	for k := range c.K {
		a := float64(c.Alpha) * toBF16(c.a.x[c.a.index(i, k)])
		for j, v := range b[k*c.N : (k+1)*c.N] {
			want[j] += a * v
			size[j] += math.Abs(a * v)
		}
	}
	for j := range want {
		if c.Beta != 0 {
			old := float64(c.Beta) * c.c.x[c.c.index(i, j)]
			want[j] += old
			size[j] += math.Abs(old)
		}
	}
}

// within compares values of which some are infinite or not a number.
func within(got, want, slack float64) bool {
	if math.IsNaN(want) || math.IsInf(want, 0) {
		return got == want || math.IsNaN(got) && math.IsNaN(want)
	}
	return math.Abs(got-want) <= slack
}

func testHeadBF16(r *rig) {
	for _, s := range []accelerators.Head{{Tokens: 3, Width: 17, Vocab: 65}, {Tokens: 130, Width: 20, Vocab: 70}} {
		s.Compute = accelerators.BF16
		r.run(fmt.Sprintf("%d,%d,%d", s.Tokens, s.Width, s.Vocab), func(r *rig) {
			hidden, weight, targets := r.normal(s.Tokens*s.Width), r.normal(s.Vocab*s.Width), r.indices(s.Tokens, s.Vocab)
			dnll := r.normal(s.Tokens)
			rounded, roundedWeight := allToBF16(hidden), allToBF16(weight)
			nll, _ := headLoss(rounded, roundedWeight, targets, s)
			loss := func() float64 { nll, _ := headLoss(rounded, roundedWeight, targets, s); return dot(nll, dnll) }
			hb, wb, tb, db := r.upload(hidden), r.upload(weight), r.uploadInts(targets), r.upload(dnll)
			nb, lb, logits := r.output(s.Tokens), r.output(s.Tokens), r.output(s.Vocab*s.Tokens)
			r.dev.HeadLoss(nb, lb, hb, wb, tb, logits, s)
			r.expect("nll", nb, nll, reduced)
			dhb, dwb := r.output(len(hidden)), r.upload(make([]float64, len(weight)))
			r.dev.HeadLossGrad(dhb, dwb, db, hb, wb, tb, lb, logits, s)
			r.gradient("dhidden", dhb, nil, rounded, roundedBefore, loss)
			r.gradient("dweight", dwb, nil, roundedWeight, roundedBefore, loss)
			nb, dhb, dwb = r.output(s.Tokens), r.output(len(hidden)), r.upload(make([]float64, len(weight)))
			r.dev.HeadLearn(nb, dhb, dwb, db, hb, wb, tb, logits, s)
			r.expect("learned nll", nb, nll, reduced)
			r.gradient("learned dhidden", dhb, nil, rounded, roundedBefore, loss)
			r.gradient("learned dweight", dwb, nil, roundedWeight, roundedBefore, loss)
		})
	}
}

// FingerprintBF16 is the name of what has products in bfloat16 in a fingerprint.
const FingerprintBF16 = "products in bfloat16"

func fingerprintName(op string, compute accelerators.DType) string {
	if compute == accelerators.BF16 {
		return FingerprintBF16
	}
	return op
}

func (f *printer) matricesBF16() {
	for _, shape := range [][3]int{{70, 130, 1600}, {120, 70, 1600}, {150, 2100, 30}} {
		for form := range 4 {
			s := accelerators.MatMul{M: shape[0], N: shape[1], K: shape[2], TransA: form&1 != 0, TransB: form&2 != 0,
				Compute: accelerators.BF16}
			s.Alpha, s.Beta = 0.5, 0.5
			c := f.random(s.M * s.N)
			f.dev.MatMul(c, f.random(s.M*s.K), f.random(s.K*s.N), s)
			f.print(FingerprintBF16, c)
		}
	}
}
