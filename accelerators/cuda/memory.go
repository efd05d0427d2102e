//go:build cuda

package cuda

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
)

// memory is one allocation.
type memory struct {
	dev      *Device
	dtype    accelerators.DType
	at       cu.DevicePtr
	elements int
	freed    bool
}

const (
	// keptFree is what Alloc leaves for the scratch memory of kernels, which they take when they run first.
	keptFree = 256 << 20
	// largeBytes is the size from which on Alloc looks whether so much is left.
	largeBytes = 16 << 20
)

// Alloc returns zeroed memory.
func (d *Device) Alloc(t accelerators.DType, n int) (accelerators.Buffer, error) {
	if n < 0 || n > maxElements {
		return accelerators.Buffer{}, fmt.Errorf("%s: allocate %d elements: size out of range", d.Name(), n)
	}
	m := &memory{dev: d, dtype: t, elements: n}
	defer d.enter()()
	if err := m.fill(int64(n) * int64(t.Size())); err != nil {
		return accelerators.Buffer{}, fmt.Errorf("%s: %w", d.Name(), err)
	}
	return accelerators.Buffer{Mem: m, Len: n, Type: t}, nil
}

func (m *memory) fill(bytes int64) (err error) {
	if bytes == 0 {
		return nil
	}
	if bytes > largeBytes {
		if free, total := m.dev.room(); bytes+keptFree > free {
			return fmt.Errorf("%w; %d MiB stay free for the kernels", m.dev.full(bytes, free, total), keptFree>>20)
		}
	}
	if m.at, err = m.dev.take(bytes); err == nil {
		m.dev.note(cu.MemsetD8Async(m.at, 0, bytes, m.dev.stream), "clear memory")
	}
	return err
}

// take allocates memory of the device that is not cleared; Close frees it unless give has before.
func (d *Device) take(bytes int64) (cu.DevicePtr, error) {
	if d.lost != nil {
		return 0, d.lost
	}
	at, err := cu.MemAlloc(bytes)
	if errors.Is(driver.Of(err), driver.OutOfMemory) && len(d.buried) > 0 {
		d.wait()
		at, err = cu.MemAlloc(bytes)
	}
	switch err = driver.Of(err); {
	case errors.Is(err, driver.OutOfMemory):
		free, total := d.room()
		return 0, d.full(bytes, free, total)
	case err != nil:
		return 0, fmt.Errorf("allocate %d bytes: %w", bytes, err)
	}
	d.held[at] = bytes
	return at, nil
}

// room is how many bytes of the device are free, those of buried memory included, and how many there are.
func (d *Device) room() (free, total int64) {
	free, total, err := cu.MemInfo()
	d.note(err, "ask for free memory")
	for _, at := range d.buried {
		free += d.held[at]
	}
	return free, total
}

// full is the error of an allocation for which there is no room.
func (d *Device) full(bytes, free, total int64) error {
	var own int64
	for _, n := range d.held {
		own += n
	}
	for _, at := range d.buried { // is counted as free
		own -= d.held[at]
	}
	text := fmt.Sprintf("allocate %d MiB: %d of %d MiB are free", mebibytes(bytes), free>>20, total>>20)
	if others := total - free - own; others > total/16 {
		text += fmt.Sprintf("; %d MiB are not this process's: nvidia-smi shows which other one holds them", others>>20)
	}
	return errors.New(text)
}

func mebibytes(n int64) int64 { return (n + 1<<20 - 1) >> 20 }

// give frees what take returned. The work that uses it must be done.
func (d *Device) give(at cu.DevicePtr) {
	delete(d.held, at)
	d.note(cu.MemFree(at), "free memory")
}

// Free gives the whole allocation back that b is a window of. Freeing the zero Buffer does nothing. The driver's own
// freeing waits for all work; here memory is only buried, and freed when the host waits anyway, or when there is no
// room.
func (d *Device) Free(b accelerators.Buffer) {
	if !b.Present() {
		return
	}
	m, ours := b.Mem.(*memory)
	if !ours || m.dev != d || m.freed {
		d.note(errors.New("not an allocation of this device, or freed before"), "Free")
		return
	}
	m.freed = true
	if m.at != 0 {
		d.buried = append(d.buried, m.at)
	}
}

// UploadF32 copies src to dst, which has the same length.
func (d *Device) UploadF32(dst accelerators.Buffer, src []float32) {
	c := d.call("UploadF32")
	c.exact("dst", dst, len(src))
	to := c.write("dst", dst, len(src))
	if passed(c, len(src)) {
		d.uploadAs(to, dst.Type, "f32", unsafe.Pointer(unsafe.SliceData(src)), 4, len(src))
	}
}

// UploadI32 copies src to dst, which has the same length.
func (d *Device) UploadI32(dst accelerators.Buffer, src []int32) {
	c := d.call("UploadI32")
	c.exact("dst", dst, len(src))
	to := c.writeI32("dst", dst, len(src))
	if passed(c, len(src)) {
		d.upload(to, unsafe.Pointer(unsafe.SliceData(src)), 4*len(src))
	}
}

func (d *Device) upload(to uint64, host unsafe.Pointer, bytes int) {
	d.stage(host, bytes, func(at uint64, done, n int) {
		target := cu.DevicePtr(to) + cu.DevicePtr(done)
		d.note(cu.MemcpyDtoDAsync(target, cu.DevicePtr(at), int64(n), d.stream), "upload")
	})
}

// DownloadF32 waits for the work before it, copies src to dst, which has the same length, widening bfloat16, and
// returns the device's error.
func (d *Device) DownloadF32(dst []float32, src accelerators.Buffer) error {
	c := d.call("DownloadF32")
	c.exact("src", src, len(dst))
	from, size := c.read("src", src, len(dst)), src.Type.Size()
	if passed(c, len(dst)) {
		d.fetch(from, size*len(dst), func(part []byte, done int) { widen(dst[done/size:], part, src.Type) })
		d.settle()
	}
	return d.tell()
}

// DownloadI32 waits for the work before it, copies src to dst, which has the same length, and returns the device's
// error.
func (d *Device) DownloadI32(dst []int32, src accelerators.Buffer) error {
	c := d.call("DownloadI32")
	c.exact("src", src, len(dst))
	from := c.i32("src", src, len(dst))
	if passed(c, len(dst)) {
		d.fetch(from, 4*len(dst), func(part []byte, done int) { copy(dst[done/4:], words[int32](part)) })
		d.settle()
	}
	return d.tell()
}

// widen copies floats of a type to float32.
func widen(dst []float32, src []byte, t accelerators.DType) {
	if t == accelerators.F32 {
		copy(dst, words[float32](src))
		return
	}
	for i, bits := range words[uint16](src) {
		dst[i] = math.Float32frombits(uint32(bits) << 16)
	}
}

// words is memory as numbers.
func words[T any](memory []byte) []T {
	var one T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/int(unsafe.Sizeof(one)))
}

// settle waits for all work.
func (d *Device) settle() {
	defer d.enter()()
	d.wait()
}

// wait is until the stream has run empty. What kernels found wrong with their operands is then the device's error, and
// buried memory is freed.
func (d *Device) wait() {
	d.flush()
	d.askFaults()
	d.note(d.stream.Synchronize(), "wait for work")
	d.collectFaults()
	for _, at := range d.buried {
		d.give(at)
	}
	d.buried = d.buried[:0]
}

// Sync waits for all work and returns the first error since the last Sync, which it clears, unless it is that the
// device is lost.
func (d *Device) Sync() error {
	d.settle()
	err := d.tell()
	d.err = d.lost
	return err
}
