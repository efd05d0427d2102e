package cpu

import "unsafe"

// The slots of scratch memory. Operations that run inside one another use different ones.
const (
	slotPanels  = iota // packed right-hand side of a product
	slotStrips         // packed left-hand side
	slotParts          // partial sums
	slotRows           // gathered rows of the head
	slotLogits         // logits of a chunk, or of a row
	slotScores         // attention scores
	slotGrads          // their gradients
	slotKeys           // packed keys
	slotKeysT          // the same, transposed
	slotValues         // packed values
	slotQueries        // packed queries
	slotOuts           // packed output gradients
	slotTurned         // transpose of a part of a product
	slotStates         // states of softmaxes over blocks
	slotMeans          // of attention's output and its gradient
	slotMixes          // outputs of attention to parts of a cache
	slotWords          // rounded operands of a product in bfloat16
	slotSums           // sums of a tile
	slotFlat           // hyperbolic tangents of capped scores and logits
	slotCount
)

// scratch is memory that outlives an operation; each slot keeps its largest size. Its contents are undefined.
type scratch [slotCount][]float32

func (s *scratch) floats(slot, n int) []float32 {
	if cap(s[slot]) < n {
		s[slot] = aligned(n)
	}
	return s[slot][:n]
}

// cacheLine is in bytes; panels that start with one are loaded without crossing any.
const cacheLine = 64

// aligned is n floats from the start of a cache line on.
func aligned(n int) []float32 {
	const line = cacheLine / 4
	x := make([]float32, n+line)
	ahead := int(-uintptr(unsafe.Pointer(unsafe.SliceData(x))) % cacheLine / 4)
	return x[ahead : ahead+n : ahead+n]
}
