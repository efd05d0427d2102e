//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
)

// faults are the checks of operands that only the device sees. A kernel looks for the first value out of range and keeps
// the least of (check, element) in a word of device memory, which is read when the host waits anyway.
type faults struct {
	word   cu.DevicePtr
	checks []rangeCheck // since the host waited last
}

// A rangeCheck wants low <= x < high of every element of an operand.
type rangeCheck struct {
	op, name  string
	at        uint64
	low, high int
}

const noFault = math.MaxUint64

func (f *faults) begin() (err error) {
	if f.word, err = cu.MemAlloc(8); err != nil {
		return fmt.Errorf("allocate the word of faults: %w", err)
	}
	return cu.MemsetD8(f.word, 0xff, 8)
}

func (f *faults) end() { _ = cu.MemFree(f.word) }

// ids is the address of an integer operand whose values must lie in [low, high). A kernel that uses it must not touch
// what a value out of range names, since it runs before the host knows.
func (c *call) ids(name string, b accelerators.Buffer, n, low, high int) uint64 {
	at := c.i32(name, b, n)
	if !c.skip && n > 0 {
		c.dev.check(rangeCheck{c.op, name, at, low, high}, n)
	}
	return at
}

func (d *Device) check(r rangeCheck, n int) {
	number := len(d.faults.checks)
	d.faults.checks = append(d.faults.checks, r)
	d.launch("check", "check_range", covering(n), r.at, uint64(n), uint64(r.low), uint64(r.high), uint64(number),
		uint64(d.faults.word))
}

// collect reads the word after the stream has run empty.
func (f *faults) collect(d *Device) {
	if len(f.checks) == 0 || d.err != nil {
		f.checks = f.checks[:0]
		return
	}
	var fault uint64
	d.note(cu.MemcpyDtoH(unsafe.Pointer(&fault), f.word, 8), "read the word of faults")
	if fault != noFault && d.err == nil {
		d.err = f.describe(d, fault)
		d.note(cu.MemsetD8(f.word, 0xff, 8), "clear the word of faults")
	}
	f.checks = f.checks[:0]
}

func (f *faults) describe(d *Device, fault uint64) error {
	r, element := f.checks[fault>>32], fault&math.MaxUint32
	var value int32
	if err := cu.MemcpyDtoH(unsafe.Pointer(&value), cu.DevicePtr(r.at+4*element), 4); err != nil {
		return fmt.Errorf("%s: %s: %s[%d] is out of range: %w", d.Name(), r.op, r.name, element, err)
	}
	return fmt.Errorf("%s: %s: %s[%d] is %d, want %d to %d", d.Name(), r.op, r.name, element, value, r.low, r.high-1)
}
