package tensor

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Pool lends device memory and keeps what comes back for the next borrower of about the same size, so that a step
// repeated with equal shapes allocates nothing. Steps of changing shapes leave buffers of many sizes behind: what lies
// idle is freed when the whole would exceed one and a half times the most that was ever lent at once. Which memory is
// lent depends on the order of the calls alone. Used by one goroutine at a time, like its device.
type Pool struct {
	dev  accelerators.Device
	idle map[class][]accelerators.Buffer

	lent, kept int64 // bytes in use, bytes idle
	mostLent   int64
	peak       int64
}

type class struct {
	kind accelerators.DType
	n    int
}

func (c class) bytes() int64 { return int64(c.n) * int64(c.kind.Size()) }

// NewPool returns an empty pool.
func NewPool(dev accelerators.Device) *Pool {
	return &Pool{dev: dev, idle: map[class][]accelerators.Buffer{}}
}

// Peak is the most memory the pool has held at one time, in bytes, idle buffers included.
func (p *Pool) Peak() int64 { return p.peak }

// Lent is the memory in use now, in bytes.
func (p *Pool) Lent() int64 { return p.lent }

// Get lends a buffer of n elements with unspecified content.
func (p *Pool) Get(kind accelerators.DType, n int) (accelerators.Buffer, error) {
	c := classOf(kind, n)
	b, err := p.take(c)
	if err != nil {
		return accelerators.Buffer{}, err
	}
	p.lent += c.bytes()
	p.mostLent = max(p.mostLent, p.lent)
	p.peak = max(p.peak, p.lent+p.kept)
	return b.Slice(0, n), nil
}

func (p *Pool) take(c class) (accelerators.Buffer, error) {
	if free := p.idle[c]; len(free) > 0 {
		p.idle[c] = free[:len(free)-1]
		p.kept -= c.bytes()
		return free[len(free)-1], nil
	}
	most := max(p.mostLent, p.lent+c.bytes())
	p.shrink(most + most/2 - p.lent - c.bytes())
	b, err := p.dev.Alloc(c.kind, c.n)
	if err != nil && p.kept > 0 {
		p.shrink(0)
		b, err = p.dev.Alloc(c.kind, c.n)
	}
	return b, err
}

// Put takes back a buffer that Get lent.
func (p *Pool) Put(b accelerators.Buffer) {
	c := classOf(b.Type, b.Len)
	b.Len = c.n
	p.idle[c] = append(p.idle[c], b)
	p.lent -= c.bytes()
	p.kept += c.bytes()
}

// Free returns all idle memory to the device.
func (p *Pool) Free() { p.shrink(0) }

// shrink frees idle buffers, the largest first, until at most keep bytes are left.
func (p *Pool) shrink(keep int64) {
	if p.kept <= keep {
		return
	}
	order := slices.SortedFunc(maps.Keys(p.idle), func(a, b class) int {
		return cmp.Or(cmp.Compare(b.bytes(), a.bytes()), cmp.Compare(a.kind, b.kind))
	})
	for _, c := range order {
		for free := p.idle[c]; len(free) > 0 && p.kept > keep; free = p.idle[c] {
			p.dev.Free(free[len(free)-1])
			p.idle[c] = free[:len(free)-1]
			p.kept -= c.bytes()
		}
	}
}

// classOf rounds a size up to one of four steps in each doubling, which wastes a quarter at worst.
func classOf(kind accelerators.DType, n int) class {
	step := align
	if n > 4*align {
		step = 1 << (bits.Len(uint(n-1)) - 3)
	}
	return class{kind, max((n+step-1)/step, 1) * step}
}
