//go:build !purego

package cpu

// avx512BF16Set has the tile of pairs, one instruction for two products in each lane.
var avx512BF16Set = withBF16("avx512bf16", &avx512Set, peakPairs, bf16Kernels{
	depth: 2, columns: pairColumns, rows: pairRows, transpose: pairTranspose, prefetch: prefetch,
	blocks: bf16Blocks{height: tileRows, width: 64, k: 1536, n: 2048, unit: 4 * tileRows, rows: 8 * tileRows, thin: 96},
	tile: func(_ *scratch, words int, a []float32, rowStep int, b, c []float32, ldc, m, n int, alpha float32, add bool) {
		tilePairs(words, a, rowStep, 1, b, c, ldc, m, n, alpha, add)
	},
})

// amxSet has tiles of pairs in registers of their own, which outrun the memory: so its blocks are large, and stay in
// the second-level cache.
var amxSet = withBF16("amx", &avx512Set, peakTiles, bf16Kernels{
	depth: 2, columns: pairColumns, rows: pairRows, transpose: pairTranspose, prefetch: func([]float32) {},
	blocks: bf16Blocks{height: amxRows, width: amxColumns, k: 2048, n: 8192, unit: 32, rows: amxRows, thin: 256},
	tile:   tileAMX,
})

const (
	amxRows    = 256
	amxColumns = 32
)

func tileAMX(s *scratch, words int, a []float32, rowStep int, b, c []float32, ldc, m, n int, alpha float32, add bool) {
	sums := s.floats(slotSums, amxRows*amxColumns)
	sumTiles(lines(words), a, rowStep, b, sums, c, ldc, m)
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

// peakTiles is the rate of tiles whose operands are in the first-level cache.
func peakTiles(s *scratch, rounds int) (flops float64) {
	const m, pairs, calls = 32, 128, 64
	a, b := s.floats(slotStrips, m*pairs), s.floats(slotPanels, amxColumns*pairs)
	c := s.floats(slotSums, m*amxColumns)
	clear(a)
	clear(b)
	for range rounds * calls {
		sumTiles(pairs, a, pairs, b, c, c, amxColumns, m)
	}
	return 4 * calls * m * amxColumns * pairs * float64(rounds)
}
