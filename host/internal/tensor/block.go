package tensor

import (
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// A block is one allocation of an arena, lent in parts from both ends; the middle is open.
type block struct {
	mem  accelerators.Buffer
	ends [2]stack
	most int // the most that both ends took together
}

// An end is where a buffer is taken from.
type end int

const (
	low  end = iota // what lives long: it is given back newest first, and leaves no gaps
	high            // the rest
)

func (e end) other() end { return high - e }

// fill takes size elements from a gap of an end.
func (b *block) fill(at end, size int) (accelerators.Buffer, bool) {
	p, ok := b.ends[at].fill(size)
	return b.window(at, p, size, ok)
}

// extend takes size elements from the open middle.
func (b *block) extend(at end, size int) (accelerators.Buffer, bool) {
	if b.mem.Len-b.ends[low].top-b.ends[high].top < size {
		return accelerators.Buffer{}, false
	}
	p := b.ends[at].push(size)
	b.most = max(b.most, b.ends[low].top+b.ends[high].top)
	return b.window(at, p, size, true)
}

func (b *block) window(at end, p, size int, ok bool) (accelerators.Buffer, bool) {
	if !ok {
		return accelerators.Buffer{}, false
	}
	if at == high {
		p = b.mem.Len - p - size
	}
	return b.mem.Slice(p, size), true
}

func (b *block) put(buf accelerators.Buffer, size int) {
	off := buf.Off - b.mem.Off
	if off < b.ends[low].top {
		b.ends[low].put(off, size)
	} else {
		b.ends[high].put(b.mem.Len-off-size, size)
	}
}

// A stack is what one end of a block has lent, in distances from that end. All of it from top on is open; below, the gaps
// are free.
type stack struct {
	top  int
	gaps []gap // in order of off; no two touch, and none touches top
}

// A gap is free memory between two buffers.
type gap struct{ off, n int }

func (g gap) end() int { return g.off + g.n }

// fill takes size elements from the smallest gap that has them, the first of several.
func (s *stack) fill(size int) (off int, ok bool) {
	best := -1
	for i, g := range s.gaps {
		if g.n >= size && (best < 0 || g.n < s.gaps[best].n) {
			best = i
		}
	}
	if best < 0 {
		return 0, false
	}
	g := &s.gaps[best]
	off = g.off
	if g.off, g.n = g.off+size, g.n-size; g.n == 0 {
		s.gaps = slices.Delete(s.gaps, best, best+1)
	}
	return off, true
}

func (s *stack) push(size int) (off int) {
	s.top += size
	return s.top - size
}

// put makes size elements from off on free again, one gap with what is free on either side.
func (s *stack) put(off, size int) {
	freed := gap{off, size}
	at, _ := slices.BinarySearchFunc(s.gaps, off, func(g gap, off int) int { return g.off - off })
	from, to := at, at
	if at > 0 && s.gaps[at-1].end() == off {
		from--
		freed = gap{s.gaps[from].off, s.gaps[from].n + size}
	}
	if at < len(s.gaps) && freed.end() == s.gaps[at].off {
		freed.n += s.gaps[at].n
		to++
	}
	if freed.end() == s.top {
		s.top, freed.n = freed.off, 0
	}
	s.gaps = slices.Delete(s.gaps, from, to)
	if freed.n > 0 {
		s.gaps = slices.Insert(s.gaps, from, freed)
	}
}
