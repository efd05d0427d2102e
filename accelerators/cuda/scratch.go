//go:build cuda

package cuda

import (
	"fmt"

	"gorgonia.org/cu"
)

// The slots of scratch memory. Operations that run inside one another use different ones.
const (
	slotStaged = iota // bits on their way between the host and memory of another type
	slotClip          // what a gradient is multiplied with
	slotCodes         // the tables of numbers in few bits, which stay there
	slotSums          // sums of the first stage
	slotScales        // scales of blocks before they are packed
	slotSort          // ids in order
	slotCount
)

// scratches is memory of the device that outlives an operation; each slot keeps its largest size.
type scratches [slotCount]struct {
	at    cu.DevicePtr
	bytes int
}

// scratch is the address of memory of at least so many bytes, on a boundary of 256. Its contents are undefined; the work
// before may still use them. Where a slot must grow, it waits for that work.
func (d *Device) scratch(slot, bytes int) uint64 {
	s := &d.scratches[slot]
	if bytes <= s.bytes || d.err != nil {
		return uint64(s.at)
	}
	defer d.enter()()
	d.release(slot)
	var err error
	if s.at, err = cu.MemAlloc(int64(bytes)); err != nil {
		d.note(err, fmt.Sprintf("allocate %d bytes of scratch memory", bytes))
		return 0
	}
	s.bytes = bytes
	return uint64(s.at)
}

// release gives the memory of a slot back.
func (d *Device) release(slot int) {
	s := &d.scratches[slot]
	if s.bytes > 0 {
		d.note(d.stream.Synchronize(), "wait for work")
		d.note(cu.MemFree(s.at), "free scratch memory")
	}
	s.at, s.bytes = 0, 0
}
