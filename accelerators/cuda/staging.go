//go:build cuda

package cuda

import (
	"unsafe"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
)

const (
	stagingBytes = 16 << 20
	stagingChunk = 4 << 20 // of a longer transfer, so that one part is copied by the host while another one travels
	stagingSpans = 256     // transfers that may be under way
	stagingUnit  = 256     // where parts begin
)

// staging is memory that transfers pass through: pinned memory of the host and as much of the device, in parts that are
// taken in turn. To the device they travel on a stream of their own, so that they do not wait for the kernels before
// them; only what takes them from there is in the order of the device's stream.
type staging struct {
	stream cu.Stream
	host   []byte
	device cu.DevicePtr
	next   int
	busy   []span // the oldest first
	idle   []cu.Event
}

// A span is a part that is in use until an event.
type span struct {
	from, to int
	done     cu.Event
}

func (d *Device) beginStaging() (err error) {
	s := &d.staging
	if s.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return err
	}
	if s.host, err = driver.Pin(stagingBytes); err != nil {
		return err
	}
	s.device, err = d.take(stagingBytes)
	return err
}

func (d *Device) endStaging() {
	s := &d.staging
	for _, b := range s.busy {
		s.idle = append(s.idle, b.done)
	}
	for i := range s.idle {
		d.note(cu.DestroyEvent(&s.idle[i]), "destroy an event")
	}
	d.note(s.stream.Destroy(), "destroy a stream")
	d.note(driver.Unpin(s.host), "give pinned memory back")
	*s = staging{}
}

// part waits for a part of n bytes that nothing uses any more. It is in use until its event, which is to be recorded.
func (d *Device) part(n int) (from int, done cu.Event) {
	s := &d.staging
	if s.next+n > len(s.host) {
		s.next = 0
	}
	from, s.next = s.next, s.next+(n+stagingUnit-1)/stagingUnit*stagingUnit
	for len(s.busy) == stagingSpans || s.overlaps(from, from+n) {
		oldest := s.busy[0]
		d.note(oldest.done.Synchronize(), "wait for a transfer")
		s.busy = append(s.busy[:0], s.busy[1:]...)
		s.idle = append(s.idle, oldest.done)
	}
	if len(s.idle) > 0 {
		done = s.idle[len(s.idle)-1]
		s.idle = s.idle[:len(s.idle)-1]
	} else {
		done = d.event()
	}
	s.busy = append(s.busy, span{from, from + n, done})
	return from, done
}

func (s *staging) overlaps(from, to int) bool {
	for _, b := range s.busy {
		if b.from < to && from < b.to {
			return true
		}
	}
	return false
}

func (d *Device) event() cu.Event {
	e, err := cu.MakeEvent(cu.DisableTiming)
	d.note(err, "make an event")
	return e
}

// stage brings bytes of the host to the device, part by part. arrive enqueues on d.stream what takes n bytes, of which
// done have come before, from their address; it must not use them any later. The host's bytes may change on return.
func (d *Device) stage(host unsafe.Pointer, bytes int, arrive func(at uint64, done, n int)) {
	defer d.enter()()
	d.alone(func() {
		for done := 0; done < bytes && d.err == nil; done += stagingChunk {
			n := min(stagingChunk, bytes-done)
			d.send(unsafe.Slice((*byte)(unsafe.Add(host, done)), n), func(at uint64) { arrive(at, done, n) })
		}
	})
}

func (d *Device) send(bytes []byte, arrive func(at uint64)) {
	from, done := d.part(len(bytes))
	s := &d.staging
	host, at := s.host[from:][:len(bytes)], s.device+cu.DevicePtr(from)
	copy(host, bytes)
	d.note(cu.MemcpyHtoDAsync(at, unsafe.Pointer(&host[0]), int64(len(bytes)), s.stream), "upload")
	d.note(done.Record(s.stream), "upload")
	d.note(d.stream.Wait(done, 0), "upload")
	arrive(uint64(at))
	d.note(done.Record(d.stream), "upload")
}

// fetch brings bytes of the device to the host once the work before is done, part by part, and waits for them. deliver
// takes n of them, of which done have come before.
func (d *Device) fetch(from uint64, bytes int, deliver func(part []byte, done int)) {
	defer d.enter()()
	d.flush()
	landed := func() {}
	for done := 0; done < bytes && d.err == nil; done += stagingChunk {
		at, event := d.part(min(stagingChunk, bytes-done))
		part := d.staging.host[at:][:min(stagingChunk, bytes-done)]
		source := cu.DevicePtr(from) + cu.DevicePtr(done)
		d.note(cu.MemcpyDtoHAsync(unsafe.Pointer(&part[0]), source, int64(len(part)), d.stream), "download")
		d.note(event.Record(d.stream), "download")
		landed()
		landed = func() {
			if d.note(event.Synchronize(), "download"); d.err == nil {
				deliver(part, done)
			}
		}
	}
	landed()
}
