package cpu

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// hugePage is the size of large pages in bytes.
const hugePage = 2 << 20

// memory is one allocation; either floats or ints is set.
type memory struct {
	dev    *Device
	dtype  accelerators.DType
	floats []float32
	ints   []int32
	freed  bool
}

func (m *memory) elements() int { return max(len(m.floats), len(m.ints)) }

// Alloc returns zeroed memory. It fails when the device's allocations would exceed the machine's memory, and for
// BF16, which this device does not compute in.
func (d *Device) Alloc(t accelerators.DType, n int) (accelerators.Buffer, error) {
	if n < 0 || n > maxElements {
		return accelerators.Buffer{}, fmt.Errorf("cpu: allocate %d elements: size out of range", n)
	}
	bytes := int64(n) * int64(t.Size())
	if bytes > d.room-d.used {
		return accelerators.Buffer{}, fmt.Errorf("cpu: allocate %d bytes: %d of %d are in use", bytes, d.used, d.room)
	}
	m := &memory{dev: d, dtype: t}
	switch t {
	case accelerators.F32:
		m.floats = make([]float32, n)
		preferHugePages(m.floats)
	case accelerators.I32:
		m.ints = make([]int32, n)
	default:
		return accelerators.Buffer{}, fmt.Errorf("cpu: allocate %d elements of %v: this device holds f32 and i32", n, t)
	}
	d.used += bytes
	return accelerators.Buffer{Mem: m, Len: n, Type: t}, nil
}

// Free gives the whole allocation back that b is a window of. Freeing the zero Buffer does nothing.
func (d *Device) Free(b accelerators.Buffer) {
	if !b.Present() {
		return
	}
	c := d.call("Free")
	m := c.operand("buffer", b, b.Type, 0, reads)
	if passed(c, b.Len) {
		d.used -= int64(m.elements()) * int64(m.dtype.Size())
		*m = memory{dev: d, dtype: m.dtype, freed: true}
	}
}

// UploadI32 copies src to dst, which has the same length.
func (d *Device) UploadI32(dst accelerators.Buffer, src []int32) {
	c := d.call("UploadI32")
	c.exact("dst", dst, len(src))
	to := c.i32("dst", dst, len(src))
	if passed(c, len(src)) {
		copy(to, src)
	}
}

// DownloadF32 copies src to dst, which has the same length, and returns the device's error.
func (d *Device) DownloadF32(dst []float32, src accelerators.Buffer) error {
	c := d.call("DownloadF32")
	c.exact("src", src, len(dst))
	from := c.f32("src", src, len(dst))
	if passed(c, len(dst)) {
		copy(dst, from)
	}
	return d.err
}

// FetchF32 is DownloadF32: there is nothing left to wait for.
func (d *Device) FetchF32(dst []float32, src accelerators.Buffer) (wait func() error) {
	if err := d.DownloadF32(dst, src); err != nil {
		return func() error { return err }
	}
	return nil
}

// DownloadI32 copies src to dst, which has the same length, and returns the device's error.
func (d *Device) DownloadI32(dst []int32, src accelerators.Buffer) error {
	c := d.call("DownloadI32")
	c.exact("src", src, len(dst))
	from := c.i32("src", src, len(dst))
	if passed(c, len(dst)) {
		copy(dst, from)
	}
	return d.err
}

// Copy copies src to dst, which has the same length and type. Both may be the same window.
func (d *Device) Copy(dst, src accelerators.Buffer) {
	if dst.Type == accelerators.I32 {
		d.copyInts(dst, src)
		return
	}
	kernel := func(s *kernelSet) func(y, x []float32) { return s.copy }
	d.unary("Copy", 1, kernel, argument{"dst", dst}, argument{"src", src})
}

func (d *Device) copyInts(dst, src accelerators.Buffer) {
	c := d.call("Copy")
	c.exact("src", src, dst.Len)
	to, from := c.i32("dst", dst, dst.Len), c.i32("src", src, dst.Len)
	if passed(c, dst.Len) {
		copy(to, from)
	}
}

type filling struct {
	set   *kernelSet
	x     []float32
	value float32
}

func (o *filling) items(_, lo, hi int) { o.set.fill(o.x[lo:hi], o.value) }

// Fill sets every element; an integer buffer gets the value's integer part.
func (d *Device) Fill(dst accelerators.Buffer, value float32) {
	c := d.call("Fill")
	if dst.Type == accelerators.I32 {
		to := c.i32("dst", dst, dst.Len)
		if passed(c, dst.Len) {
			fill(to, int32(value))
		}
		return
	}
	to := c.write("dst", dst, dst.Len)
	if passed(c, dst.Len) {
		d.ops.fill = filling{d.setFor(to, blockWork), to, value}
		d.each(len(to), 1, &d.ops.fill)
	}
}

func fill[T float32 | int32](x []T, value T) {
	for i := range x {
		x[i] = value
	}
}

// Sync returns the first error since the last Sync and clears it.
func (d *Device) Sync() error {
	err := d.err
	d.err = nil
	return err
}
