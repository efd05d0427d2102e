package cpu

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
	slotWords          // rounded operands of a product in bfloat16
	slotCount
)

// scratch is memory that outlives an operation; each slot keeps its largest size. Its contents are undefined.
type scratch [slotCount][]float32

func (s *scratch) floats(slot, n int) []float32 {
	if cap(s[slot]) < n {
		s[slot] = make([]float32, n)
	}
	return s[slot][:n]
}
