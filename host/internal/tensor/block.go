package tensor

import (
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// A block is one allocation of an arena, lent in parts. All of it from top on is free; below, the gaps are.
type block struct {
	mem  accelerators.Buffer
	top  int
	most int   // the highest top so far
	gaps []gap // in order of off; no two touch, and none touches top
}

// A gap is free memory between two buffers.
type gap struct{ off, n int }

func (g gap) end() int { return g.off + g.n }

// fill takes size elements from the smallest gap that has them, the first of several.
func (b *block) fill(size int) (off int, ok bool) {
	best := -1
	for i, g := range b.gaps {
		if g.n >= size && (best < 0 || g.n < b.gaps[best].n) {
			best = i
		}
	}
	if best < 0 {
		return 0, false
	}
	g := &b.gaps[best]
	off = g.off
	if g.off, g.n = g.off+size, g.n-size; g.n == 0 {
		b.gaps = slices.Delete(b.gaps, best, best+1)
	}
	return off, true
}

// append takes size elements from the open end.
func (b *block) append(size int) (off int, ok bool) {
	if b.mem.Len-b.top < size {
		return 0, false
	}
	off = b.top
	b.top += size
	b.most = max(b.most, b.top)
	return off, true
}

// put makes size elements from off on free again, one gap with what is free on either side.
func (b *block) put(off, size int) {
	freed := gap{off, size}
	at, _ := slices.BinarySearchFunc(b.gaps, off, func(g gap, off int) int { return g.off - off })
	from, to := at, at
	if at > 0 && b.gaps[at-1].end() == off {
		from--
		freed = gap{b.gaps[from].off, b.gaps[from].n + size}
	}
	if at < len(b.gaps) && freed.end() == b.gaps[at].off {
		freed.n += b.gaps[at].n
		to++
	}
	if freed.end() == b.top {
		b.top, freed.n = freed.off, 0
	}
	b.gaps = slices.Delete(b.gaps, from, to)
	if freed.n > 0 {
		b.gaps = slices.Insert(b.gaps, from, freed)
	}
}
