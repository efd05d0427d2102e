//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
)

// faults are the checks of operands that only the device sees. A kernel looks for the first value out of range and
// keeps the least of (check, element) in a word of device memory, which is read when the host waits anyway. Checks keep
// their numbers, so that work which comes again is the same work.
type faults struct {
	word    cu.DevicePtr
	seen    []byte // pinned, where the word is read to
	checks  []rangeCheck
	numbers map[rangeCheck]int
	asked   bool // a check was launched since the host last waited
}

// A rangeCheck wants low <= x < high of every element of an operand, or what the rule says, where there is one.
type rangeCheck struct {
	op, name  string
	at        uint64
	low, high int
	rule      string
}

const (
	noFault    = math.MaxUint64
	faultBytes = 8       // of the word
	mostChecks = 1 << 14 // that have numbers
)

func (d *Device) beginFaults() (err error) {
	f := &d.faults
	f.numbers = map[rangeCheck]int{}
	if f.seen, err = driver.Pin(faultBytes); err != nil {
		return err
	}
	if f.word, err = d.take(faultBytes); err != nil {
		return err
	}
	return cu.MemsetD8Async(f.word, 0xff, faultBytes, d.stream)
}

func (d *Device) endFaults() {
	d.note(driver.Unpin(d.faults.seen), "give pinned memory back")
	d.faults = faults{}
}

// ids is the address of an integer operand whose values must lie in [low, high). A kernel that uses it must not touch
// what a value out of range names, since it runs before the host knows.
func (c *call) ids(name string, b accelerators.Buffer, n, low, high int) uint64 {
	at := c.i32(name, b, n)
	if !c.skip && n > 0 {
		c.dev.check(rangeCheck{op: c.op, name: name, at: at, low: low, high: high}, n)
	}
	return at
}

func (d *Device) check(r rangeCheck, n int) {
	number := d.number(r)
	d.launch("check", "check_range", covering(n), r.at, uint64(n), uint64(r.low), uint64(r.high), number,
		uint64(d.faults.word))
}

// number is what a kernel that checks r gives the word of faults.
func (d *Device) number(r rangeCheck) uint64 {
	f := &d.faults
	number, known := f.numbers[r]
	if !known {
		number = len(f.checks)
		f.checks = append(f.checks, r)
		f.numbers[r] = number
	}
	f.asked = true
	return uint64(number)
}

// reportFaults enqueues a copy of the word to pinned memory.
func (d *Device) reportFaults(to []byte) {
	if d.lost == nil {
		err := cu.MemcpyDtoHAsync(unsafe.Pointer(&to[0]), d.faults.word, faultBytes, d.stream)
		d.note(err, "read the word of faults")
	}
}

// fault makes what the word says the device's error, if it says something.
func (d *Device) fault(word uint64) {
	if word == noFault || d.lost != nil {
		return
	}
	if d.err == nil {
		d.err = d.describe(word)
	}
	d.note(cu.MemsetD8Async(d.faults.word, 0xff, faultBytes, d.stream), "clear the word of faults")
}

// askFaults and collectFaults are before and after the host waits for the stream.
func (d *Device) askFaults() {
	if d.faults.asked {
		d.reportFaults(d.faults.seen)
	}
}

func (d *Device) collectFaults() {
	f := &d.faults
	if f.asked && d.lost == nil {
		d.fault(words[uint64](f.seen)[0])
	}
	f.asked = false
	if fetching := len(d.landings.idle) < len(d.landings.all); len(f.checks) > mostChecks && !fetching {
		f.checks = f.checks[:0]
		clear(f.numbers)
	}
}

func (d *Device) describe(fault uint64) error {
	r, element := d.faults.checks[fault>>32], fault&math.MaxUint32
	var value int32
	if err := cu.MemcpyDtoH(unsafe.Pointer(&value), cu.DevicePtr(r.at+4*element), 4); err != nil {
		return fmt.Errorf("%s: %s: %s[%d] is out of range: %w", d.Name(), r.op, r.name, element, driver.Of(err))
	}
	if r.rule != "" {
		return fmt.Errorf("%s: %s: %s[%d] is %d, want %s", d.Name(), r.op, r.name, element, value, r.rule)
	}
	if r.low <= int(value) && int(value) < r.high { // other work has used the memory since
		return fmt.Errorf("%s: %s: %s[%d] was out of range, want %d to %d", d.Name(), r.op, r.name, element, r.low,
			r.high-1)
	}
	return fmt.Errorf("%s: %s: %s[%d] is %d, want %d to %d", d.Name(), r.op, r.name, element, value, r.low, r.high-1)
}
