package cpu

import "unsafe"

// The slots of scratch memory. Operations that run inside one another use different ones.
const (
	slotPanels    = iota // packed right-hand side of a product
	slotStrips           // packed left-hand side
	slotParts            // partial sums
	slotRows             // gathered rows of the head
	slotLogits           // logits of a chunk, or of a row
	slotScores           // attention scores
	slotGrads            // their gradients
	slotKeys             // packed keys
	slotKeysT            // the same, transposed
	slotValues           // packed values
	slotQueries          // packed queries
	slotOuts             // packed output gradients
	slotQueryRows        // queries packed again, rounded
	slotOutRows          // output gradients packed again, rounded
	slotTurned           // transpose of a part of a product
	slotStates           // states of softmaxes over blocks
	slotMeans            // of attention's output and its gradient
	slotMixes            // outputs of attention to parts of a cache
	slotWords            // rounded operands of a product in bfloat16
	slotSums             // sums of a tile
	slotFlat             // hyperbolic tangents of capped scores and logits
	slotScales           // scales of blocks in NF4
	slotMoments          // moments of a block before they are rounded
	slotCount
)

// scratch is memory that outlives an operation; each slot keeps its largest size. Its contents are undefined. The slots
// lie together on large pages, where the system has them: packed operands fill many small ones, at whose ends the
// processor does not read ahead.
type scratch struct {
	slots [slotCount][]float32
	open  []float32 // the rest of the last pages
}

func (s *scratch) floats(slot, n int) []float32 {
	if cap(s.slots[slot]) < n {
		s.slots[slot] = s.take(n)
	}
	return s.slots[slot][:n]
}

// take is n floats from the start of a cache line on.
func (s *scratch) take(n int) []float32 {
	size := roundUp(n, cacheLine/4)
	if len(s.open) < size {
		s.open = pages(size)
	}
	x := s.open[:n:n]
	s.open = s.open[size:]
	return x
}

// cacheLine is in bytes; panels that start with one are loaded without crossing any.
const cacheLine = 64

// pages is large pages for at least n floats.
func pages(n int) []float32 {
	const page = hugePage / 4
	n = roundUp(n, page)
	x := make([]float32, n+page)
	ahead := int(-uintptr(unsafe.Pointer(unsafe.SliceData(x))) % hugePage / 4)
	x = x[ahead : ahead+n : ahead+n]
	preferHugePages(x)
	return x
}
