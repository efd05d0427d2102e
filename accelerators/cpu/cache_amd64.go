//go:build !purego

package cpu

// secondLevel is the size of a core's second-level cache in bytes, 0 where the processor does not say.
func secondLevel() int {
	const intel, amd, extensions, topology = 4, 0x8000001d, 0x80000000, 1 << 22
	if most, _, _, _ := cpuid(extensions, 0); most >= amd {
		if _, _, features, _ := cpuid(extensions+1, 0); features&topology != 0 {
			return dataCache(2, func(i uint32) (a, b, c, d uint32) { return cpuid(amd, i) })
		}
	}
	if most, _, _, _ := cpuid(0, 0); most < intel {
		return 0
	}
	return dataCache(2, func(i uint32) (a, b, c, d uint32) { return cpuid(intel, i) })
}

// dataCache is the size of the cache of a level among those that describe lists, in the form that Intel and AMD share.
func dataCache(level uint32, describe func(i uint32) (a, b, c, d uint32)) int {
	const none, instructions = 0, 2
	for i := range uint32(16) {
		a, b, c, _ := describe(i)
		switch kind := a & 31; {
		case kind == none:
			return 0
		case kind != instructions && a>>5&7 == level:
			line, partitions, ways, sets := b&0xfff+1, b>>12&0x3ff+1, b>>22+1, c+1
			return int(line) * int(partitions) * int(ways) * int(sets)
		}
	}
	return 0
}
