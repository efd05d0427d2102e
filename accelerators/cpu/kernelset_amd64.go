//go:build !purego

package cpu

import (
	"golang.org/x/sys/cpu"

	"github.com/carebot-llm/carebot/accelerators/dynamic8"
)

var avx2Set = kernelSet{
	name: "avx2", width: 16,
	tile: tileAVX2, narrow: tileAVX2, narrowRows: tileRows, few: fewAVX2, transpose: transposeHalves, strips: stripsAVX,
	dot: dotAVX2, dot64: dot64AVX2, dot3: dot3AVX2, copy: copyGeneric, fill: fillAVX2,
	add: addAVX2, mul: mulAVX2, axpy: axpyAVX2, scale: scaleAVX2, scaleMul: scaleMulAVX2,
	sum: sumAVX2, squares: squaresAVX2, centredSums: centredSumsAVX2,
	layerNorm: layerNormAVX2, layerNormGrad: layerNormGradAVX2,
	rmsNormGrad: rmsNormGradAVX2, rotate: rotateAVX2, max: maxAVX2,
	expSum: expSumAVX2, softmaxGrad: softmaxGradAVX2,
	softmaxTile: softmaxTileAVX2, softmaxGradTile: softmaxGradTileAVX2,
	mixRows: mixRowsAVX2,
	swiglu:  swigluAVX2, swigluGrad: swigluGradAVX2, gelu: geluAVX2, geluGrad: geluGradAVX2,
	geluTanh: geluTanhAVX2, geluTanhGrad: geluTanhGradAVX2,
	tanh: tanhAVX2, tanhGrad: tanhGradAVX2, adamw: adamwAVX2,
	adamwBF16: adamwBF16Generic, adamw8: adamw8Generic,
	prefetch: prefetch, widenBF16: widenBF16AVX2, widenF16: widenF16AVX2, unpackNF4: unpackNF4AVX2,
	stream: &avx2Stream,
}

var avx512Set = kernelSet{
	name: "avx512", width: 64,
	tile: tileAVX512, narrow: narrowAVX512, narrowRows: 8, few: fewAVX512, transpose: transposeAVX512, strips: stripsAVX,
	dot: dotAVX512, dot64: dot64AVX512, dot3: dot3AVX512, copy: copyGeneric, fill: fillAVX512,
	add: addAVX512, mul: mulAVX512, axpy: axpyAVX512, scale: scaleAVX512, scaleMul: scaleMulAVX512,
	sum: sumAVX512, squares: squaresAVX512, centredSums: centredSumsAVX512,
	layerNorm: layerNormAVX512, layerNormGrad: layerNormGradAVX512,
	rmsNormGrad: rmsNormGradAVX512, rotate: rotateAVX512, max: maxAVX512,
	expSum: expSumAVX512, softmaxGrad: softmaxGradAVX512,
	softmaxTile: softmaxTileAVX512, softmaxGradTile: softmaxGradTileAVX512,
	mixRows: mixRowsAVX512,
	swiglu:  swigluAVX512, swigluGrad: swigluGradAVX512, gelu: geluAVX512, geluGrad: geluGradAVX512,
	geluTanh: geluTanhAVX512, geluTanhGrad: geluTanhGradAVX512,
	tanh: tanhAVX512, tanhGrad: tanhGradAVX512, adamw: adamwAVX512,
	adamwBF16: adamwBF16AVX512, adamw8: adamw8Wide,
	prefetch: prefetch, widenBF16: widenBF16AVX2, widenF16: widenF16AVX2, unpackNF4: unpackNF4AVX512,
	stream: &avx512Stream,
}

var avx2Stream = streamSet{
	copy: copyStreamAVX2, fill: fillStreamAVX2, add: addStreamAVX2, mul: mulStreamAVX2,
	scaleMul: scaleMulStreamAVX2, layerNorm: layerNormStreamAVX2, swiglu: swigluStreamAVX2,
	swigluGrad: swigluGradStreamAVX2, gelu: geluStreamAVX2, geluGrad: geluGradStreamAVX2,
	geluTanh: geluTanhStreamAVX2, geluTanhGrad: geluTanhGradStreamAVX2,
	tanh: tanhStreamAVX2, tanhGrad: tanhGradStreamAVX2,
}

var avx512Stream = streamSet{
	copy: copyStreamAVX512, fill: fillStreamAVX512, add: addStreamAVX512, mul: mulStreamAVX512,
	scaleMul: scaleMulStreamAVX512, layerNorm: layerNormStreamAVX512, swiglu: swigluStreamAVX512,
	swigluGrad: swigluGradStreamAVX512, gelu: geluStreamAVX512, geluGrad: geluGradStreamAVX512,
	geluTanh: geluTanhStreamAVX512, geluTanhGrad: geluTanhGradStreamAVX512,
	tanh: tanhStreamAVX512, tanhGrad: tanhGradStreamAVX512,
}

// assemblySets asks the processor; the check includes the operating system's support of the registers.
func assemblySets() []*kernelSet {
	x, sets := &cpu.X86, []*kernelSet(nil)
	if x.HasAVX2 && x.HasFMA && hasF16C() {
		sets = append(sets, &avx2Set)
		if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
			sets = append(sets, &avx512Set)
			if x.HasAVX512BF16 {
				sets = append(sets, &avx512BF16Set)
				if hasAMX() {
					sets = append(sets, &amxSet)
				}
			}
		}
	}
	return sets
}

// adamw8Wide hands the maps over as the floats that they are.
func adamw8Wide(param, grad []float32, m, v []byte, mScales, vScales []float32, f *adamwFactors, work []float32) {
	adamw8AVX512(param, grad, m, v, mScales, vScales, f, &dynamic8.Table()[0], work)
}

// hasF16C says whether the processor converts numbers of half precision: bit 29 of ECX in leaf 1.
func hasF16C() bool {
	_, _, c, _ := cpuid(1, 0)
	return c>>29&1 == 1
}

// transposeHalves does the rows in two halves of eight.
func transposeHalves(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	transposeAVX2(dst, ldd, src, lds, min(8, rows), cols)
	if rows > 8 {
		transposeAVX2(dst[8:], ldd, src[8*lds:], lds, rows-8, cols)
	}
}
