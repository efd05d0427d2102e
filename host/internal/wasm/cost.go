package wasm

// An instruction costs one. An operation on many bytes costs one more for every 16 of them, one on the elements of a
// table one more for each, and growing a memory as much as filling what is new. What grows in vain costs one.
const (
	byteShift = 4
	pageShift = 16
)

// A function that calls others takes one from the depth, and one more for every 64 of its locals, since its part of
// the native stack grows with them. A function that calls nothing takes none.
const localsPerDepth = 64

func (b *body) depthCost() int64 { return int64(1 + b.locals/localsPerDepth) }
