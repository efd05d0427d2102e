package wasm

// An instruction costs one, but for those of no code: block, loop, else, end and nop.

// An operation on many bytes costs one more for every 16 of them, one on the elements of a
// table one more for each, and growing a memory as much as filling what is new. What grows in vain costs one.
const (
	byteShift = 4
	pageShift = 16
)

// A function that calls others takes one from the depth, and one more for every 64 of its locals, since its part of
// the native stack grows with them. A function that calls nothing takes none.
const localsPerDepth = 64

func (b *body) depthCost() int64 { return int64(1 + b.locals/localsPerDepth) }

// A function that is straight to its end and this cheap is no place to yield, so that small functions stay small. Its
// callers are such places, and the code between two of their checks is as long as one function's body at most.
const maxUnchecked = 64

// unchecked says whether the function has nothing in it that takes long.
func (b *body) unchecked() bool {
	var cost int64
	for i, e := range b.edits {
		switch e.kind {
		case editCharge, editCheck:
			cost += e.value
			if e.kind == editCheck && i > 0 {
				return false
			}
		case editFunction, editReturn:
		default:
			return false
		}
	}
	return cost <= maxUnchecked
}
