//go:build !purego

package cpu

var avx512BF16Set = withPairs(avx512Set, bf16Kernels{
	depth: 2, tile: tilePairs, columns: pairColumns, rows: pairRows, transpose: pairTranspose, prefetch: prefetch,
})

func withPairs(set kernelSet, pairs bf16Kernels) kernelSet {
	set.name, set.pairs = set.name+"bf16", &pairs
	return set
}
