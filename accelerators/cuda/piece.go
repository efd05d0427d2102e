//go:build cuda

package cuda

import (
	"math"
	"math/bits"
)

// piece is how many neighbouring elements a thread handles as one, in kernels that work row by row: kernels/piece.cuh.
const piece = 8

// overRows is the shape of a kernel in which each thread has one piece of one row, and how many blocks a row has.
func overRows(rows, width int) (s shape, chunks int) {
	const most = 256
	pieces := max(1, blocks(width, piece))
	chunks = blocks(pieces, most)
	threads := 32 * blocks(blocks(pieces, chunks), 32)
	return shape{rows * chunks, 1, 1, threads, 0}, chunks
}

// team is how many threads share a row that they hold in registers, kernels/norm.cu: a power of two of them within a
// warp, else whole warps.
func team(width, most int) int {
	const held = 2
	threads := blocks(width, held*piece)
	if threads <= 32 {
		return 1 << bits.Len(uint(threads-1))
	}
	return min(32*blocks(threads, 32), most)
}

// counted complains about more of something than kernels count in 32 bits.
func (c *call) counted(name string, n int) {
	if n > math.MaxInt32 {
		c.fail("%s is %d, want at most %d", name, n, math.MaxInt32)
	}
}
