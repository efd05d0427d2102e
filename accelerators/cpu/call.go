package cpu

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// maxElements bounds what one operand may span, so that products of sizes cannot overflow.
const maxElements = 1 << 40

// A call checks the arguments of one operation. Its methods hand out the operands and note the first complaint; ok
// ends the checks, and where it says false the operation returns at once.
type call struct {
	dev       *Device
	op        string
	skip      bool
	complaint string
}

func (d *Device) call(op string) *call {
	return &call{dev: d, op: op, skip: d.err != nil}
}

func (c *call) fail(format string, args ...any) {
	if !c.skip {
		c.skip, c.complaint = true, fmt.Sprintf(format, args...)
	}
}

// ok reports whether all checks passed; otherwise the complaint becomes the device's error, with the op's shape.
func (c *call) ok(shape any) bool {
	if c.complaint != "" && c.dev.err == nil {
		c.dev.err = fmt.Errorf("cpu: %s %+v: %s", c.op, shape, c.complaint)
	}
	return !c.skip
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
		if v < 0 || v > maxElements || n*v > maxElements {
			c.fail("size %v is out of range", dims)
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

// f32 is the first n elements of a float operand.
func (c *call) f32(name string, b accelerators.Buffer, n int) []float32 {
	m := c.operand(name, b, accelerators.F32, n)
	if c.skip {
		return nil
	}
	return m.floats[b.Off : b.Off+n : b.Off+n]
}

// i32 is the first n elements of an integer operand.
func (c *call) i32(name string, b accelerators.Buffer, n int) []int32 {
	m := c.operand(name, b, accelerators.I32, n)
	if c.skip {
		return nil
	}
	return m.ints[b.Off : b.Off+n : b.Off+n]
}

// ids is an integer operand whose values must lie in [low, high).
func (c *call) ids(name string, b accelerators.Buffer, n, low, high int) []int32 {
	x := c.i32(name, b, n)
	for i, v := range x {
		if int(v) < low || int(v) >= high {
			c.fail("%s[%d] is %d, want %d to %d", name, i, v, low, high-1)
			return nil
		}
	}
	return x
}

// exact complains unless a buffer has n elements.
func (c *call) exact(name string, b accelerators.Buffer, n int) {
	if b.Len != n {
		c.fail("%s has %d elements, want %d", name, b.Len, n)
	}
}

func (c *call) operand(name string, b accelerators.Buffer, t accelerators.DType, n int) *memory {
	m, ours := b.Mem.(*memory)
	switch {
	case c.skip:
	case !ours || m.dev != c.dev:
		c.fail("%s is not memory of this device", name)
	case m.freed:
		c.fail("%s was freed", name)
	case b.Type != t || m.dtype != t:
		c.fail("%s is %v, want %v", name, b.Type, t)
	case b.Off < 0 || b.Len < 0 || b.Off+b.Len > m.elements():
		c.fail("%s is [%d:%d] of an allocation of %d", name, b.Off, b.Off+b.Len, m.elements())
	case b.Len < n:
		c.fail("%s has %d elements, want %d", name, b.Len, n)
	}
	return m
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
