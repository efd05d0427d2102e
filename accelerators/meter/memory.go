package meter

import "github.com/carebot-llm/carebot/accelerators"

// memory is what was allocated and not freed, by allocation.
type memory struct {
	sizes      map[any]int64
	used, peak int64
}

// PeakBytes is the most memory that was allocated at one time since New.
func (d *Device) PeakBytes() int64 { return d.memory.peak }

// Alloc counts the bytes; it is not measured, nor is Free.
func (d *Device) Alloc(t accelerators.DType, n int) (accelerators.Buffer, error) {
	b, err := d.Device.Alloc(t, n)
	if err == nil {
		m := &d.memory
		m.sizes[b.Mem] = int64(size(b))
		m.used += m.sizes[b.Mem]
		m.peak = max(m.peak, m.used)
	}
	return b, err
}

// Free counts the whole allocation back.
func (d *Device) Free(b accelerators.Buffer) {
	d.Device.Free(b)
	d.memory.used -= d.memory.sizes[b.Mem]
	delete(d.memory.sizes, b.Mem)
}

// UploadF32 is measured.
func (d *Device) UploadF32(dst accelerators.Buffer, src []float32) {
	start := d.Elapsed()
	d.Device.UploadF32(dst, src)
	d.note("UploadF32", start, uploaded(dst, accelerators.F32.Size()))
}

// UploadI32 is measured.
func (d *Device) UploadI32(dst accelerators.Buffer, src []int32) {
	start := d.Elapsed()
	d.Device.UploadI32(dst, src)
	d.note("UploadI32", start, elements(dst, dst))
}

// UploadBF16 is measured.
func (d *Device) UploadBF16(dst accelerators.Buffer, src []uint16) {
	start := d.Elapsed()
	d.Device.UploadBF16(dst, src)
	d.note("UploadBF16", start, uploaded(dst, accelerators.BF16.Size()))
}

// UploadF16 is measured.
func (d *Device) UploadF16(dst accelerators.Buffer, src []uint16) {
	start := d.Elapsed()
	d.Device.UploadF16(dst, src)
	d.note("UploadF16", start, uploaded(dst, accelerators.BF16.Size()))
}

// uploaded is work that makes each element of dst of so many bytes.
func uploaded(dst accelerators.Buffer, each int) work {
	return work{bytes: size(dst) + float64(each*dst.Len), shape: shape{dims: [4]int{dst.Len}}}
}

// DownloadF32 is measured.
func (d *Device) DownloadF32(dst []float32, src accelerators.Buffer) error {
	start := d.Elapsed()
	err := d.Device.DownloadF32(dst, src)
	d.note("DownloadF32", start, elements(src, src))
	return err
}

// FetchF32 is measured, waiting is not.
func (d *Device) FetchF32(dst []float32, src accelerators.Buffer) (wait func() error) {
	start := d.Elapsed()
	wait = d.Device.FetchF32(dst, src)
	d.note("FetchF32", start, elements(src, src))
	return wait
}

// DownloadI32 is measured.
func (d *Device) DownloadI32(dst []int32, src accelerators.Buffer) error {
	start := d.Elapsed()
	err := d.Device.DownloadI32(dst, src)
	d.note("DownloadI32", start, elements(src, src))
	return err
}

// Copy is measured.
func (d *Device) Copy(dst, src accelerators.Buffer) {
	start := d.Elapsed()
	d.Device.Copy(dst, src)
	d.note("Copy", start, elements(dst, src))
}

// Fill is measured.
func (d *Device) Fill(dst accelerators.Buffer, value float32) {
	start := d.Elapsed()
	d.Device.Fill(dst, value)
	d.note("Fill", start, elements(dst))
}

// peek reads integers that the amount of work depends on, none where they are not there to be read; the kernel itself
// says what is wrong with them.
func (d *Device) peek(b accelerators.Buffer, n int) []int32 {
	d.ints = d.ints[:0]
	if !b.Present() || b.Type != accelerators.I32 || n < 0 || b.Len < n {
		return nil
	}
	if cap(d.ints) < n {
		d.ints = make([]int32, n)
	}
	d.ints = d.ints[:n]
	if err := d.Device.DownloadI32(d.ints, b.Slice(0, n)); err != nil {
		return nil
	}
	return d.ints
}
