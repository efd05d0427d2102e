//go:build !purego

package cpu

var avx512BF16Set = withPairs(avx512Set, bf16Kernels{
	depth: 2, tile: tilePairs, columns: pairColumns, rows: pairRows, transpose: pairTranspose, prefetch: prefetch,
})

func withPairs(set kernelSet, pairs bf16Kernels) kernelSet {
	set.name, set.pairs, set.peakBF16 = set.name+"bf16", &pairs, peakPairs
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
