//go:build !purego

package cpu

import "math"

// neonSet needs no question to the processor: every arm64 has NEON.
var neonSet = kernelSet{
	name: "neon", width: 16,
	tile: tileNEON, narrow: tileNEON, narrowRows: tileRows, transpose: transposeQuarters, strips: stripsNEON,
	prefetch: prefetchGeneric, widenBF16: widenBF16Generic, widenF16: widenF16Generic, unpackNF4: unpackNF4Generic,
	dot: dotNEON, dot64: dot64NEON, dot3: dot3NEON, copy: copyGeneric, fill: fillNEON,
	add: addNEON, mul: mulNEON, axpy: axpyNEON, scale: scaleNEON, scaleMul: scaleMulNEON,
	sum: sumNEON, squares: squaresNEON, centredSums: centredSumsNEON,
	layerNorm: layerNormNEON, layerNormGrad: layerNormGradNEON,
	rmsNormGrad: rmsNormGradNEON, rotate: rotateNEON, max: maxNEON,
	expSum: expSumBlocks, softmaxGrad: softmaxGradNEON,
	softmaxTile: softmaxRows, softmaxGradTile: softmaxGradRows,
	mixRows: mixEachRow,
	swiglu:  swigluNEON, swigluGrad: swigluGradNEON, gelu: geluNEON, geluGrad: geluGradNEON,
	geluTanh: geluTanhNEON, geluTanhGrad: geluTanhGradNEON,
	tanh: tanhNEON, tanhGrad: tanhGradNEON, adamw: adamwNEON,
	adamwBF16: adamwBF16Generic, adamw8: adamw8Generic,
}

func assemblySets() []*kernelSet { return []*kernelSet{&neonSet} }

// transposeQuarters does the rows in quarters of four.
func transposeQuarters(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	for i := 0; i < rows; i += 4 {
		transposeNEON(dst[i:], ldd, src[i*lds:], lds, min(4, rows-i), cols)
	}
}

// expSumBlocks keeps the chains of float32 sums short: a vocabulary's would lose too much in sixteen lanes.
func expSumBlocks(x []float32, scale, shift float32) float32 {
	const block = 2048
	sum := 0.0
	for len(x) > block {
		sum += float64(expSumNEON(x[:block], scale, shift))
		x = x[block:]
	}
	return float32(sum + float64(expSumNEON(x, scale, shift)))
}

// The kernels of several rows do them one by one.

func softmaxRows(x []float32, stride, n int, tops, sums []float32) {
	for i := range tileRows {
		row := x[i*stride:][:n]
		tops[i] = max(tops[i], maxNEON(row))
		sums[i] = expSumBlocks(row, 1, max(tops[i], -math.MaxFloat32))
	}
}

func softmaxGradRows(p, d []float32, stride, n int, lse, means []float32, scale float32) {
	for i := range tileRows {
		w := p[i*stride:][:n]
		expSumBlocks(w, 1, lse[i])
		softmaxGradNEON(d[i*stride:][:n], w, means[i], scale)
	}
}

func mixEachRow(out, w, rows []float32, stride int) {
	clear(out)
	for j, v := range w {
		axpyNEON(out, rows[j*stride:][:len(out)], v)
	}
}
