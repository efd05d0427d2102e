package cpu

import (
	"fmt"
	"strings"
)

// tileRows is the height of a product's tile, the same in every set: six rows of C keep the accumulators within the
// registers, and their addresses too.
const tileRows = 6

// A kernelSet is what an instruction set must provide: the tile of matrix products and the row operations that
// dominate a training step. Slices of one call have the length of the first unless said otherwise, which may be zero
// for row operations; a destination may be the very slice of an operand of the same row operation.
type kernelSet struct {
	name string
	// width is how many columns a packed panel of the right-hand side has, and a tile at most.
	width int
	// tile: C[m,n] (+)= alpha * A[m,k] B[k,n] with m <= tileRows, n <= width. A[i,p] is a[i*rowStep+p*colStep]; B is
	// a packed panel, its rows width apart, of which lanes beyond n are readable; C's rows are ldc apart.
	tile tileKernel
	// narrow is a tile with m <= narrowRows, n <= thinWidth, of panels of that width, for a left-hand side that comes
	// from memory; its colStep is 1.
	narrow     tileKernel
	narrowRows int
	// few: C[m,fewWidth] (+)= alpha * A[m,k] B[fewWidth,k]^T with m <= fewRows, where 4 divides k and nothing is packed.
	// It may bring what begins at next nearer. Nil: there is none.
	few func(k int, b []float32, ldb int, a []float32, lda int, c []float32, ldc, m int, alpha float32, add bool,
		next []float32)
	// peakBF16 runs rounds of bf16 products within the cache and returns their floating-point operations; nil where they
	// have no instructions of their own.
	peakBF16 func(s *scratch, rounds int) (flops float64)
	// transpose: dst[j*ldd+i] = src[i*lds+j] for i < rows <= 16, j < cols. The other lanes i < 16 of dst may be
	// overwritten.
	transpose func(dst []float32, ldd int, src []float32, lds, rows, cols int)
	// strips: dst[s*step+p*tileRows+i] = src[p*lds+s*tileRows+i] for s < 8, i < tileRows, p < rows. step is at least
	// rows*tileRows+2, as two elements after each strip may be overwritten.
	strips func(dst []float32, step int, src []float32, lds, rows int)
	pairs  *bf16Kernels // nil: bf16 products use the f32 tile

	// widenBF16 and widenF16 are of slices whose length 32 divides: dst = src, exactly.
	widenBF16, widenF16 func(dst []float32, src []uint16)
	// unpackNF4: dst = level of its code times the scale of its block. dst is whole units, codes are 8 to a word.
	unpackNF4 func(dst []float32, codes []int32, scales []float32)

	prefetch func(x []float32) // may bring x, which is not empty, nearer

	dot         func(x, y []float32) float32
	dot64       func(x, y []float32) float64                      // products and sums in float64
	dot3        func(x, y, z []float32) float32                   // sum(x*y*z)
	copy        func(y, x []float32)                              // y = x
	fill        func(x []float32, value float32)                  // x = value
	add         func(z, x, y []float32)                           // z = x+y
	mul         func(z, x, y []float32)                           // z = x*y
	axpy        func(y, x []float32, alpha float32)               // y += alpha x
	scale       func(x []float32, alpha float32)                  // x *= alpha
	scaleMul    func(y, x, w []float32, alpha float32)            // y = alpha x w
	rmsNormGrad func(dx, dw, dy, x, w []float32, r, mean float32) // with h = r x: dx += r (dy w - h mean); dw += dy h
	sum         func(x []float32) float32
	squares     func(x []float32, mean float32) float32                    // sum((x-mean)^2)
	centredSums func(x, y, z []float32, mean float32) (sum, inner float32) // sum(y*z) and sum((x-mean)*y*z)
	// layerNorm: y = (x-mean) r w + b. layerNormGrad, with h = (x-mean) r: dx += r (dy w - sum - h inner); dw += dy
	// h; db += dy.
	layerNorm     func(y, x, w, b []float32, mean, r float32)
	layerNormGrad func(dx, dw, db, dy, x, w []float32, mean, r, sum, inner float32)
	rotate        func(low, high, cos, sin []float32, sign float32) // each pair by the angle of sine sign*sin
	max           func(x []float32) float32                         // NaNs are skipped; of nothing it is -Inf
	expSum        func(x []float32, scale, shift float32) float32   // x = exp(scale*x-shift); returns its sum
	softmaxGrad   func(d, p []float32, mean, scale float32)         // d = p*(d-mean)*scale
	// softmaxTile, for tileRows rows of n elements: tops = max(tops, largest of the row), x = exp(x-tops), sums = their
	// sums. A row of minus infinities becomes zeros. softmaxGradTile: p = exp(p-lse), d = scale p (d-means).
	softmaxTile     func(x []float32, stride, n int, tops, sums []float32)
	softmaxGradTile func(p, d []float32, stride, n int, lse, means []float32, scale float32)
	mixRows         func(out, w, rows []float32, stride int) // out = sum of w[j] times row j, rows of len(out)

	// The following give the exact result for any float32 within the units in the last place (ULP) that are said here,
	// or within the size that is said where results are that small. A NaN gives a NaN. The exponential in expSum is
	// within 2 ULP and 2^-126; the rounding of its argument a comes on top, at most |a| ULP.

	// swiglu: y = silu(gate)*up, silu within 4 ULP and 2^-120; silu(-Inf) is 0.
	swiglu func(y, gate, up []float32)
	// swigluGrad: dup = dy*silu(gate) within 4 ULP, dgate = dy*up*silu'(gate) within 6 of silu' or of the sigmoid that
	// it is made of, whichever is larger; both within 2^-119.
	swigluGrad func(dgate, dup, dy, gate, up []float32)
	// gelu: y = x*cdf(x) of the standard normal distribution, within 8 ULP and 2^-126; gelu(-Inf) is 0.
	gelu func(y, x []float32)
	// geluGrad: dx = dy*(cdf(x)+x*density(x)), within 8 ULP of that or of cdf(x), and 2^-119.
	geluGrad func(dx, dy, x []float32)
	// geluTanh: y = x*sigmoid(a), a = x (1.5957691 + 0.071354816 x^2). geluTanhGrad: dx = dy*(sigmoid(a) + x
	// sigmoid'(a) a'). Both are within 6 ULP of the largest of that, sigmoid(a) and, for a negative a, a times them; and
	// within 2^-118. geluTanh(-Inf) is 0.
	geluTanh     func(y, x []float32)
	geluTanhGrad func(dx, dy, x []float32)
	tanh         func(y, x []float32)      // within 2 ULP
	tanhGrad     func(dx, dy, y []float32) // dx = dy (1-y) (1+y), within 2 ULP
	// adamw: each of the three results is within 4 ULP of the largest of its terms.
	adamw func(param, grad, m, v []float32, f *adamwFactors)
	// adamwBF16 has moments in bfloat16, for slices whose length 16 divides; key is that of the first element's random
	// bits. The moments before they are rounded, and the weights, are as close as adamw's.
	adamwBF16 func(param, grad []float32, m, v []uint16, f *adamwFactors, key uint32)
	// adamw8 has moments in codes, for whole blocks of them; work is of two blocks. The moments before they are rounded,
	// and the weights, are as close as adamw's; the codes are the nearest to what they were rounded from.
	adamw8 func(param, grad []float32, m, v []byte, mScales, vScales []float32, f *adamwFactors, work []float32)

	// stream, where there is one, has the same for destinations that no cache holds.
	stream *streamSet
}

type tileKernel func(k int, a []float32, rowStep, colStep int, b, c []float32, ldc, m, n int, alpha float32, add bool)

// genericWidth is the generic tile's; as small as a panel may be.
const genericWidth = 16

var genericSet = kernelSet{
	name: "generic", width: genericWidth,
	tile: tileGeneric, narrow: tileGeneric, narrowRows: tileRows, transpose: transposeGeneric, strips: stripsGeneric,
	prefetch: prefetchGeneric, widenBF16: widenBF16Generic, widenF16: widenF16Generic, unpackNF4: unpackNF4Generic,
	dot: dotGeneric, dot64: dot64Generic, dot3: dot3Generic, copy: copyGeneric, fill: fill[float32],
	add: addGeneric, mul: mulGeneric, axpy: axpyGeneric, scale: scaleGeneric, scaleMul: scaleMulGeneric,
	sum: sumGeneric, squares: squaresGeneric, centredSums: centredSumsGeneric,
	layerNorm: layerNormGeneric, layerNormGrad: layerNormGradGeneric,
	rmsNormGrad: rmsNormGradGeneric, rotate: rotateGeneric, max: maxGeneric,
	expSum: expSumGeneric, softmaxGrad: softmaxGradGeneric,
	softmaxTile: softmaxTileGeneric, softmaxGradTile: softmaxGradTileGeneric,
	mixRows: mixRowsGeneric,
	swiglu:  swigluGeneric, swigluGrad: swigluGradGeneric, gelu: geluGeneric, geluGrad: geluGradGeneric,
	geluTanh: geluTanhGeneric, geluTanhGrad: geluTanhGradGeneric,
	tanh: tanhGeneric, tanhGrad: tanhGradGeneric, adamw: adamwGeneric,
	adamwBF16: adamwBF16Generic, adamw8: adamw8Generic,
}

// chooseSet returns the named set, or for the empty name the best that this processor runs.
func chooseSet(name string) (*kernelSet, error) {
	sets := supportedSets()
	if name == "" {
		return sets[len(sets)-1], nil
	}
	var names []string
	for _, s := range sets {
		if s.name == name {
			return s, nil
		}
		names = append(names, s.name)
	}
	return nil, fmt.Errorf("CAREBOT_CPU=%q: this processor runs %s", name, strings.Join(names, ", "))
}

// supportedSets lists the sets that this processor runs, slowest first.
func supportedSets() []*kernelSet { return append([]*kernelSet{&genericSet}, assemblySets()...) }
