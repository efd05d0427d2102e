//go:build !purego

package cpu

// neonSet needs no question to the processor: every arm64 has NEON. What has no version for it is plain Go.
var neonSet = func() kernelSet {
	s := genericSet
	s.name, s.width = "neon", 16
	s.tile, s.narrow, s.transpose, s.strips = tileNEON, tileNEON, transposeQuarters, stripsNEON
	s.dot, s.dot3, s.add, s.axpy, s.scale, s.scaleMul = dotNEON, dot3NEON, addNEON, axpyNEON, scaleNEON, scaleMulNEON
	s.sum, s.squares, s.centredDot = sumNEON, squaresNEON, centredDotNEON
	s.layerNorm, s.layerNormGrad = layerNormNEON, layerNormGradNEON
	s.rmsNormGrad, s.rotate, s.max = rmsNormGradNEON, rotateNEON, maxNEON
	s.expSum, s.softmaxGrad = expSumNEON, softmaxGradNEON
	s.swiglu, s.swigluGrad, s.gelu, s.geluGrad = swigluNEON, swigluGradNEON, geluNEON, geluGradNEON
	s.adamw = adamwNEON
	return s
}()

func assemblySets() []*kernelSet { return []*kernelSet{&neonSet} }

// transposeQuarters does the rows in quarters of four.
func transposeQuarters(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	for i := 0; i < rows; i += 4 {
		transposeNEON(dst[i:], ldd, src[i*lds:], lds, min(4, rows-i), cols)
	}
}
