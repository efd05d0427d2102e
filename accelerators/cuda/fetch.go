//go:build cuda

package cuda

import (
	"errors"
	"math/bits"
	"slices"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
)

// A landing is pinned memory that a copy goes to while the host does something else, with the word of faults as it is
// then behind it.
type landing struct {
	memory []byte
	done   cu.Event
}

// landings are all there are, and those that are not in use.
type landings struct{ all, idle []*landing }

// FetchF32 enqueues a copy of src, which has dst's length. wait waits for it, but not for what comes later, copies to
// dst, widening bfloat16, and returns the device's error so far.
func (d *Device) FetchF32(dst []float32, src accelerators.Buffer) (wait func() error) {
	c := d.call("FetchF32")
	c.exact("src", src, len(dst))
	from, bytes := c.read("src", src, len(dst)), src.Type.Size()*len(dst)
	if !passed(c, len(dst)) {
		err := d.err
		return func() error { return err }
	}
	defer d.enter()()
	d.flush()
	l := d.landing(bytes + faultBytes)
	if l == nil {
		return func() error { return d.err }
	}
	if bytes > 0 {
		at := unsafe.Pointer(&l.memory[faultBytes])
		d.note(cu.MemcpyDtoHAsync(at, cu.DevicePtr(from), int64(bytes), d.stream), "fetch")
	}
	d.reportFaults(l.memory)
	d.note(l.done.Record(d.stream), "fetch")
	return func() error { return d.land(l, dst, bytes, src.Type) }
}

// land ends a fetch. It is called once.
func (d *Device) land(l *landing, dst []float32, bytes int, t accelerators.DType) error {
	if l.memory == nil {
		return errors.New("fetch: the device was closed")
	}
	defer d.enter()()
	if d.note(l.done.Synchronize(), "wait for a fetch"); d.lost == nil {
		d.fault(words[uint64](l.memory)[0])
		widen(dst, l.memory[faultBytes:][:bytes], t)
	}
	d.landings.idle = append(d.landings.idle, l)
	return d.tell()
}

// landing is one of at least so many bytes; sizes are powers of two, so that few are made. Without one there is an
// error.
func (d *Device) landing(bytes int) *landing {
	ls := &d.landings
	if i := slices.IndexFunc(ls.idle, func(l *landing) bool { return len(l.memory) >= bytes }); i >= 0 {
		l := ls.idle[i]
		ls.idle = slices.Delete(ls.idle, i, i+1)
		return l
	}
	memory, err := driver.Pin(1 << bits.Len(uint(bytes-1)))
	if err != nil {
		d.note(err, "pin memory for a fetch")
		return nil
	}
	l := &landing{memory, d.event()}
	ls.all = append(ls.all, l)
	return l
}

func (d *Device) endLandings() {
	for _, l := range d.landings.all {
		d.note(cu.DestroyEvent(&l.done), "destroy an event")
		d.note(driver.Unpin(l.memory), "give pinned memory back")
		l.memory = nil
	}
	d.landings = landings{}
}
