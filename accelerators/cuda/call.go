//go:build cuda

package cuda

import (
	"fmt"
	"slices"

	"github.com/carebot-llm/carebot/accelerators"
)

// maxElements bounds what one operand may span, so that products of sizes cannot overflow.
const maxElements = 1 << 40

// A call checks the arguments of one operation. Its methods hand out the operands and note the first complaint; passed
// ends the checks, and where it says false the operation returns at once. A device has one call, of the operation that
// runs, so that checking allocates nothing unless there is something to complain about.
type call struct {
	dev       *Device
	op        string
	skip      bool
	complaint string
	kind      accelerators.DType // of the activations
	operands  [maxOperands]window
	count     int
}

// unknown is the type of a call's activations before the first of them.
const unknown accelerators.DType = 255

// maxOperands is how many operands of one call are compared with one another.
const maxOperands = 16

// A window is an operand that the operation was given: elements lo to hi of an allocation.
type window struct {
	name   string
	mem    *memory
	lo, hi int
	access access
}

// access is what an operation does with an operand, in rising order of what that demands.
type access int

const (
	reads   access = iota
	updates        // writes each element where it has read that element's inputs: may be the very window of an input
	writes         // must not share an element with another operand
)

func (d *Device) call(op string) *call {
	c := &d.checks
	c.dev, c.op, c.skip, c.complaint, c.kind, c.count = d, op, d.err != nil, "", unknown, 0
	return c
}

func (c *call) fail(format string, args ...any) {
	if !c.skip {
		c.skip, c.complaint = true, fmt.Sprintf(format, args...)
	}
}

// passed reports whether all checks of a call passed; otherwise the complaint becomes the device's error, with the op's
// shape, which only then becomes an allocation.
func passed[S any](c *call, shape S) bool {
	c.compare()
	if c.complaint != "" && c.dev.err == nil {
		c.dev.err = fmt.Errorf("%s: %s %+v: %s", c.dev.Name(), c.op, shape, c.complaint)
	}
	return !c.skip
}

// compare complains about an operand that is written while it shares elements with another one.
func (c *call) compare() {
	for i := 1; i < c.count && !c.skip; i++ {
		for j := range i {
			if a, b := &c.operands[j], &c.operands[i]; a.clashes(b) {
				c.fail("%s [%d:%d] overlaps %s [%d:%d]", a.name, a.lo, a.hi, b.name, b.lo, b.hi)
			}
		}
	}
}

func (a *window) clashes(b *window) bool {
	if a.mem != b.mem || a.lo >= b.hi || b.lo >= a.hi {
		return false
	}
	same := a.lo == b.lo && a.hi == b.hi
	switch max(a.access, b.access) {
	case reads:
		return false
	case updates:
		return !same || a.access == b.access
	default:
		return true
	}
}

// positive complains about a size below one.
func (c *call) positive(name string, value int) {
	if value < 1 {
		c.fail("%s is %d, want at least 1", name, value)
	}
}

// size is the product of sizes of which none may be negative.
func (c *call) size(dims ...int) int {
	n := 1
	for _, v := range dims {
		if v < 0 || v > maxElements || (v > 0 && n > maxElements/v) {
			c.fail("size %v is out of range", slices.Clone(dims)) // dims itself would be an allocation of every call
			return 0
		}
		n *= v
	}
	return n
}

// rows is how many whole rows of width elements b has.
func (c *call) rows(name string, b accelerators.Buffer, width int) int {
	c.positive("width", width)
	if c.skip {
		return 0
	}
	if b.Len%width != 0 {
		c.fail("%s has %d elements, want rows of %d", name, b.Len, width)
	}
	return b.Len / width
}

// f32 is the address of the first n elements of a float operand that is read.
func (c *call) f32(name string, b accelerators.Buffer, n int) uint64 {
	return c.address(name, b, accelerators.F32, n, reads)
}

// writeF32 is f32 for an operand that is written and shares no element with another.
func (c *call) writeF32(name string, b accelerators.Buffer, n int) uint64 {
	return c.address(name, b, accelerators.F32, n, writes)
}

// real is the address of the first n elements of an operand in the type of the call's activations, which is that of the
// first of them.
func (c *call) real(name string, b accelerators.Buffer, n int, access access) uint64 {
	if c.kind == unknown {
		c.kind = b.Type
	}
	if c.kind == accelerators.I32 {
		c.fail("%s is %v, want f32 or bf16", name, b.Type)
	}
	return c.address(name, b, c.kind, n, access)
}

// read, update and write are real with the three kinds of access.
func (c *call) read(name string, b accelerators.Buffer, n int) uint64 {
	return c.real(name, b, n, reads)
}
func (c *call) update(name string, b accelerators.Buffer, n int) uint64 {
	return c.real(name, b, n, updates)
}
func (c *call) write(name string, b accelerators.Buffer, n int) uint64 {
	return c.real(name, b, n, writes)
}

// i32 is the address of the first n elements of an integer operand that is read.
func (c *call) i32(name string, b accelerators.Buffer, n int) uint64 {
	return c.address(name, b, accelerators.I32, n, reads)
}

// writeI32 is the address of the first n elements of an integer operand that is written.
func (c *call) writeI32(name string, b accelerators.Buffer, n int) uint64 {
	return c.address(name, b, accelerators.I32, n, writes)
}

// variant is the name of a kernel for the type of the call's activations. Names are made once.
func (c *call) variant(kernel string) string {
	key := variant{kernel, c.kind}
	name, made := c.dev.variants[key]
	if !made {
		name = kernel + "_" + c.kind.String()
		c.dev.variants[key] = name
	}
	return name
}

// A variant is a kernel for a type of activations.
type variant struct {
	kernel string
	kind   accelerators.DType
}

// exact complains unless a buffer has n elements.
func (c *call) exact(name string, b accelerators.Buffer, n int) {
	if b.Len != n {
		c.fail("%s has %d elements, want %d", name, b.Len, n)
	}
}

func (c *call) address(name string, b accelerators.Buffer, t accelerators.DType, n int, access access) uint64 {
	m, ours := b.Mem.(*memory)
	switch {
	case c.skip:
	case !ours || m.dev != c.dev:
		c.fail("%s is not memory of this device", name)
	case m.freed:
		c.fail("%s was freed", name)
	case b.Type != t || m.dtype != t:
		c.fail("%s is %v, want %v", name, b.Type, t)
	case b.Off < 0 || b.Len < 0 || b.Len > m.elements || b.Off > m.elements-b.Len:
		c.fail("%s is [%d:%d] of an allocation of %d", name, b.Off, b.Off+b.Len, m.elements)
	case n < 0 || b.Len < n:
		c.fail("%s has %d elements, want %d", name, b.Len, n)
	default:
		c.operands[c.count] = window{name, m, b.Off, b.Off + n, access}
		c.count++
		return uint64(m.at) + uint64(b.Off*t.Size())
	}
	return 0
}

// span is how many elements rows of width elements take that are stride apart.
func (c *call) span(rows, stride, width int) int {
	if stride < width {
		c.fail("stride %d is less than the width %d", stride, width)
	}
	if rows == 0 {
		return 0
	}
	return c.size(rows-1, stride) + width
}
