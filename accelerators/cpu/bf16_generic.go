package cpu

import "math"

// roundBF16 is the nearest bfloat16, ties to even, as the processors' conversions have it: denormals become zero and
// what is not a number stays so.
func roundBF16(x float32) float32 {
	const exponent, quiet, half = 0x7f80_0000, 0x40_0000, 0x7fff
	bits := math.Float32bits(x)
	switch {
	case bits&exponent == 0:
		bits &= 1 << 31
	case x != x:
		bits |= quiet
	default:
		bits += half + bits>>16&1
	}
	return math.Float32frombits(bits &^ 0xffff)
}

// roundedBF16 makes the words of a kernel set without an instruction for pairs: rounded values, one by one, whose
// products are exact in the f32 tile.
func roundedBF16(set *kernelSet) bf16Kernels {
	return bf16Kernels{
		depth: 1, columns: roundMatrix, rows: roundMatrix, transpose: roundTransposed, prefetch: prefetchGeneric,
		blocks: bf16Blocks{height: tileRows, width: set.width, k: 1536, n: 2048,
			unit: 4 * tileRows, rows: 8 * tileRows, thinRows: 96, thinSize: 1 << 20},
	}
}

func roundMatrix(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	for i := range rows {
		to := dst[i*ldd:]
		for j, v := range src[i*lds : i*lds+cols] {
			to[j] = roundBF16(v)
		}
	}
}

func roundTransposed(dst []float32, ldd int, src []float32, lds, rows, cols int) {
	for i := range rows {
		for j, v := range src[i*lds : i*lds+cols] {
			dst[j*ldd+i] = roundBF16(v)
		}
	}
}
