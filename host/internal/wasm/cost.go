package wasm

import "slices"

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

// A function that calls nothing and is this cheap between the rounds of its loops is no place to yield when it is
// entered, so that small functions stay small. Its callers are, and yield after so many calls that maxGap may have run.
const (
	maxUnchecked = 256
	maxGap       = 1 << 18
)

func (b *body) small() bool { return !b.calls && b.most <= maxUnchecked }

// unchecked says whether the function has no place to yield.
func (b *body) unchecked() bool {
	return b.small() && !slices.ContainsFunc(b.edits, func(e edit) bool {
		switch e.kind {
		case editFunction, editCharge, editBranch, editBranchIf, editElse, editReturn:
			return e.yields
		}
		return true
	})
}
