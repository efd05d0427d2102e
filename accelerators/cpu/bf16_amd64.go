//go:build !purego

package cpu

import "math"

// avx512BF16Set has the tile of pairs, one instruction for two products in each lane.
var avx512BF16Set = withBF16("avx512bf16", &avx512Set, peakPairs, bf16Kernels{
	depth: 2, columns: pairColumns, rows: pairRows, transpose: pairTranspose, prefetch: prefetch,
	blocks: bf16Blocks{height: tileRows, width: 64, k: 1536, n: 2048, unit: 4 * tileRows, rows: 8 * tileRows,
		thinRows: 96, thinSize: 1 << 20},
	tile: func(_ *scratch, words int, a []float32, rowStep int, b, c []float32, ldc, m, n int, alpha float32, add bool) {
		tilePairs(words, a, rowStep, 1, b, c, ldc, m, n, alpha, add)
	},
})

// amxSet has tiles of pairs in registers of their own, which outrun the memory: so its blocks are large, and stay in
// the second-level cache. Of 16 pairs in a row of K the first values of all are summed, and the second ones, in order
// and each product fused; then these two sums, and that is added to the sum so far. Sums below 2^-126 become zero.
var amxSet = withBF16("amx", &avx512Set, peakTiles, bf16Kernels{
	depth: 2, columns: pairColumns, rows: pairRows, transpose: pairTranspose, prefetch: prefetchGeneric,
	blocks: bf16Blocks{height: amxRows, width: amxColumns, k: 1024, n: 8192, unit: 32, rows: amxRows,
		thinRows: 512, thinSize: 1 << 19},
	tile: tileAMX,
})

const (
	amxRows    = 256
	amxColumns = 32
)

// tileAMX asks for the panel that follows b, if one does.
func tileAMX(s *scratch, words int, a []float32, rowStep int, b, c []float32, ldc, m, n int, alpha float32, add bool) {
	sums, pairs := s.floats(slotSums, amxRows*amxColumns), lines(words)
	panel := pairs * amxColumns
	sumTiles(pairs, a, rowStep, b, sums, m, c, ldc, b[panel:min(len(b), 2*panel)])
	storeSums(c, ldc, sums, m, n, alpha, add)
}

// withBF16 is a set with other products in bfloat16.
func withBF16(name string, of *kernelSet, peak func(*scratch, int) float64, kernels bf16Kernels) kernelSet {
	set := *of
	set.name, set.pairs, set.peakBF16 = name, &kernels, peak
	return set
}

// peakPairs is the rate of the instruction itself.
func peakPairs(_ *scratch, rounds int) (flops float64) {
	const turns, operations = 1 << 12, 24 * 64
	for range rounds {
		dotPeakBF16(turns)
	}
	return turns * operations * float64(rounds)
}

// peakTiles is the rate of tiles whose operands are in the first-level cache. They are not zero: with those the
// processor runs faster than with any others.
func peakTiles(s *scratch, rounds int) (flops float64) {
	const m, pairs, calls = 32, 128, 64
	a, b := s.floats(slotStrips, m*pairs), s.floats(slotPanels, amxColumns*pairs)
	sums := s.floats(slotSums, m*amxColumns)
	ones := math.Float32frombits(0x3f80_3f80)
	fill(a, ones)
	fill(b, ones)
	for range rounds * calls {
		sumTiles(pairs, a, pairs, b, sums, m, sums, amxColumns, nil)
	}
	return 4 * calls * m * amxColumns * pairs * float64(rounds)
}
