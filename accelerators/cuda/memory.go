//go:build cuda

package cuda

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
)

// memory is one allocation.
type memory struct {
	dev      *Device
	dtype    accelerators.DType
	at       cu.DevicePtr
	elements int
	freed    bool
}

// Alloc returns zeroed memory.
func (d *Device) Alloc(t accelerators.DType, n int) (accelerators.Buffer, error) {
	if n < 0 || n > maxElements {
		return accelerators.Buffer{}, fmt.Errorf("%s: allocate %d elements: size out of range", d.Name(), n)
	}
	m := &memory{dev: d, dtype: t, elements: n}
	if err := m.take(int64(n) * int64(t.Size())); err != nil {
		return accelerators.Buffer{}, err
	}
	return accelerators.Buffer{Mem: m, Len: n, Type: t}, nil
}

func (m *memory) take(bytes int64) (err error) {
	if bytes == 0 {
		return nil
	}
	d := m.dev
	defer d.enter()()
	if m.at, err = cu.MemAlloc(bytes); err != nil {
		free, total, _ := cu.MemInfo()
		return fmt.Errorf("%s: allocate %d bytes: %w: %d of %d bytes are free", d.Name(), bytes, err, free, total)
	}
	d.note(cu.MemsetD8Async(m.at, 0, bytes, d.stream), "clear memory")
	return nil
}

// Free gives the whole allocation back that b is a window of, once the work before is done. Freeing the zero Buffer does
// nothing.
func (d *Device) Free(b accelerators.Buffer) {
	if !b.Present() {
		return
	}
	m, ours := b.Mem.(*memory)
	if !ours || m.dev != d || m.freed {
		d.note(fmt.Errorf("not an allocation of this device, or freed before"), "Free")
		return
	}
	defer d.enter()()
	m.freed = true
	if m.at != 0 {
		d.note(d.stream.Synchronize(), "wait for work")
		d.note(cu.MemFree(m.at), "Free")
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

func (d *Device) upload(to uint64, from unsafe.Pointer, bytes int) {
	if bytes > 0 {
		defer d.enter()()
		d.note(cu.MemcpyHtoDAsync(cu.DevicePtr(to), from, int64(bytes), d.stream), "upload")
	}
}

// DownloadF32 waits for the work before it, copies src to dst, which has the same length, and returns the device's error.
func (d *Device) DownloadF32(dst []float32, src accelerators.Buffer) error {
	c := d.call("DownloadF32")
	c.exact("src", src, len(dst))
	from := c.read("src", src, len(dst))
	if passed(c, len(dst)) {
		d.downloadAs(dst, from, src.Type)
	}
	return d.err
}

// DownloadI32 waits for the work before it, copies src to dst, which has the same length, and returns the device's error.
func (d *Device) DownloadI32(dst []int32, src accelerators.Buffer) error {
	c := d.call("DownloadI32")
	c.exact("src", src, len(dst))
	from := c.i32("src", src, len(dst))
	if passed(c, len(dst)) {
		d.download(unsafe.Pointer(unsafe.SliceData(dst)), from, 4*len(dst))
	}
	return d.err
}

func (d *Device) download(to unsafe.Pointer, from uint64, bytes int) {
	defer d.enter()()
	if bytes > 0 {
		d.note(cu.MemcpyDtoHAsync(to, cu.DevicePtr(from), int64(bytes), d.stream), "download")
	}
	d.wait()
}

// wait is until the stream has run empty; what kernels found wrong with their operands is then the device's error.
func (d *Device) wait() {
	d.note(d.stream.Synchronize(), "wait for work")
	d.faults.collect(d)
}

// Sync waits for all work and returns the first error since the last Sync, which it clears.
func (d *Device) Sync() error {
	defer d.enter()()
	d.wait()
	err := d.err
	d.err = nil
	return err
}
