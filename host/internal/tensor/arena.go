package tensor

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// An Arena lends device memory out of one block for each type of element. Reserve makes the blocks as large as a dry run
// found necessary; without it, or where the steps that follow need more, the arena grows by further blocks, which become
// one as soon as nothing is lent. What lives long and what lives shortly lie at opposite ends, each in the smallest gap
// that fits, so where a buffer lies depends on the order of the calls alone, and on the blocks' sizes only where they do
// not suffice. It makes no garbage. Used by one goroutine at a time, like its device.
type Arena struct {
	dev            accelerators.Device
	f32, bf16, i32 region
	held           int64 // bytes taken from the device
	peak           int64
}

// Sizes are numbers of bytes for each type of element.
type Sizes struct{ F32, BF16, I32 int64 }

// Total is the sum.
func (s Sizes) Total() int64 { return s.F32 + s.BF16 + s.I32 }

// Unbounded is more than anything needs: what a dry device reserves.
var Unbounded = Sizes{F32: 1 << 60, BF16: 1 << 60, I32: 1 << 60}

// A region is the arena's memory for one type. Lengths are in elements.
type region struct {
	kind   accelerators.DType
	blocks []block
	lent   int
	merged int // size of the block that takes the place of several, once one is needed
}

// smallestBlock keeps an arena without a reservation from growing tensor by tensor, in elements.
const smallestBlock = 64 << 10

// NewArena returns an empty arena.
func NewArena(dev accelerators.Device) *Arena {
	return &Arena{
		dev: dev, f32: region{kind: accelerators.F32}, bf16: region{kind: accelerators.BF16},
		i32: region{kind: accelerators.I32},
	}
}

// Reserve takes memory of exactly the given sizes from the device, one block for each type. Nothing may be lent. It
// fails when the device has no room, and the arena is then empty.
func (a *Arena) Reserve(need Sizes) error {
	if a.Lent() != 0 {
		panic("tensor: Reserve of an arena that lends")
	}
	a.Free()
	bytes := [...]int64{need.F32, need.BF16, need.I32}
	for i, r := range a.regions() {
		if bytes[i] == 0 {
			continue
		}
		if err := a.extend(r, int(bytes[i])/r.kind.Size()); err != nil {
			a.Free()
			return fmt.Errorf("reserve %d bytes of %v: %w", bytes[i], r.kind, err)
		}
	}
	return nil
}

// Used is what Reserve must be given for the calls since then to fit: the most memory that was lent at one time, with
// the gaps between.
func (a *Arena) Used() Sizes { return Sizes{F32: a.f32.used(), BF16: a.bf16.used(), I32: a.i32.used()} }

// regions are all, by the type of their elements.
func (a *Arena) regions() [3]*region { return [...]*region{&a.f32, &a.bf16, &a.i32} }

// Peak is the most memory the arena has held at one time, in bytes.
func (a *Arena) Peak() int64 { return a.peak }

// Lent is the memory in use now, in bytes.
func (a *Arena) Lent() int64 {
	n := int64(0)
	for _, r := range a.regions() {
		n += bytesOf(r.kind, r.lent)
	}
	return n
}

// Get lends a buffer of n elements with unspecified content, on a boundary of 16 elements.
func (a *Arena) Get(kind accelerators.DType, n int) (accelerators.Buffer, error) {
	return a.lend(low, kind, n)
}

// Borrow is Get for what is given back soon, out of turn: it lies apart from the rest, so that it leaves no gaps there.
func (a *Arena) Borrow(kind accelerators.DType, n int) (accelerators.Buffer, error) {
	return a.lend(high, kind, n)
}

func (a *Arena) lend(at end, kind accelerators.DType, n int) (accelerators.Buffer, error) {
	r, size := a.region(kind), aligned(n)
	buf, ok := r.take(at, size)
	if !ok {
		if err := a.grow(r, size); err != nil {
			return accelerators.Buffer{}, err
		}
		buf, _ = r.take(at, size)
	}
	r.lent += size
	return buf.Slice(0, n), nil
}

// Put takes back a buffer that Get or Borrow lent.
func (a *Arena) Put(b accelerators.Buffer) {
	r, size := a.region(b.Type), aligned(b.Len)
	r.put(b, size)
	r.lent -= size
	if r.lent == 0 && len(r.blocks) > 1 {
		a.release(r)
	}
}

// Free returns all memory to the device. Nothing may be lent.
func (a *Arena) Free() {
	for _, r := range a.regions() {
		a.release(r)
		r.merged = 0
	}
}

func (a *Arena) region(kind accelerators.DType) *region {
	return a.regions()[kind]
}

// grow makes room for one buffer, and for some more where the device has it.
func (a *Arena) grow(r *region, size int) error {
	if r.lent == 0 {
		a.release(r)
	}
	generous := max(size, r.merged, smallestBlock, r.capacity()/8)
	r.merged = 0
	if err := a.extend(r, generous); err == nil || generous == size {
		return err
	}
	return a.extend(r, size)
}

func (a *Arena) extend(r *region, n int) error {
	n = aligned(n)
	mem, err := a.dev.Alloc(r.kind, n)
	if err != nil {
		return err
	}
	r.blocks = append(r.blocks, block{mem: mem})
	a.held += bytesOf(r.kind, n)
	a.peak = max(a.peak, a.held)
	return nil
}

// release gives a region's blocks back to the device, to be replaced by a single one when there is a need.
func (a *Arena) release(r *region) {
	if len(r.blocks) == 0 {
		return
	}
	r.merged = r.capacity()
	a.held -= bytesOf(r.kind, r.merged)
	for i := range r.blocks {
		a.dev.Free(r.blocks[i].mem)
		r.blocks[i] = block{}
	}
	r.blocks = r.blocks[:0]
}

func (r *region) capacity() int {
	n := 0
	for i := range r.blocks {
		n += r.blocks[i].mem.Len
	}
	return n
}

func (r *region) used() int64 {
	n := 0
	for i := range r.blocks {
		n += r.blocks[i].most
	}
	return bytesOf(r.kind, n)
}

// take finds the smallest gap that fits on the buffer's own side, else room in the middle, else a gap on the other side.
func (r *region) take(at end, size int) (buf accelerators.Buffer, ok bool) {
	for i := range r.blocks {
		if buf, ok = r.blocks[i].fill(at, size); ok {
			return buf, true
		}
	}
	for i := range r.blocks {
		if buf, ok = r.blocks[i].extend(at, size); ok {
			return buf, true
		}
	}
	for i := range r.blocks {
		if buf, ok = r.blocks[i].fill(at.other(), size); ok {
			return buf, true
		}
	}
	return accelerators.Buffer{}, false
}

func (r *region) put(b accelerators.Buffer, size int) {
	for i := range r.blocks {
		if r.blocks[i].mem.Mem == b.Mem {
			r.blocks[i].put(b, size)
			return
		}
	}
	panic("tensor: a buffer returns to an arena that has not lent it")
}

// align keeps every buffer and parameter on a cache line and on the boundary that tensor cores ask for, in elements.
const align = 16

func aligned(n int) int { return max((n+align-1)/align, 1) * align }

func bytesOf(kind accelerators.DType, n int) int64 { return int64(n) * int64(kind.Size()) }
