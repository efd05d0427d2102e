package accelerators

import "fmt"

// A DType is the type of a buffer's elements.
type DType uint8

// The element types. Devices must hold F32 and I32; BF16 where Device.HoldsBF16 says so.
const (
	F32 DType = iota
	BF16
	I32
)

// Size is the number of bytes of one element.
func (t DType) Size() int {
	if t == BF16 {
		return 2
	}
	return 4
}

func (t DType) String() string { return [...]string{"f32", "bf16", "i32"}[t] }

// A Buffer is a window into device memory: Len elements from element Off on of the allocation Mem. It is a value; slicing
// copies no data. The zero Buffer means "absent" where an operation has optional operands.
type Buffer struct {
	Mem  any // the device's own allocation
	Off  int
	Len  int
	Type DType
}

// Slice returns the window of n elements from off on.
func (b Buffer) Slice(off, n int) Buffer {
	if off < 0 || n < 0 || off+n > b.Len {
		panic(fmt.Sprintf("accelerators: slice [%d:%d] of a buffer of %d", off, off+n, b.Len))
	}
	b.Off, b.Len = b.Off+off, n
	return b
}

// Present reports whether the buffer is there at all.
func (b Buffer) Present() bool { return b.Mem != nil }

// Memory is a device's storage. All calls but Alloc, Upload, Download and Sync only enqueue work.
type Memory interface {
	// Alloc returns zeroed memory. It is the only call that fails at once: when the device has no room, or does not hold BF16.
	Alloc(t DType, n int) (Buffer, error)
	Free(Buffer)
	// UploadF32 and UploadI32 copy host to device. The src of an upload may be reused on return.
	UploadF32(dst Buffer, src []float32)
	UploadI32(dst Buffer, src []int32)
	// UploadBF16 and UploadF16 copy bits of bfloat16 or of IEEE 754 half precision to memory of floats. All uploads to F32
	// memory are exact; those to BF16 memory round to the nearest even.
	UploadBF16(dst Buffer, src []uint16)
	UploadF16(dst Buffer, src []uint16)
	// DownloadF32 and DownloadI32 wait for the work before them, copy device to host and return the first error of the stream.
	// DownloadF32 widens BF16.
	DownloadF32(dst []float32, src Buffer) error
	DownloadI32(dst []int32, src Buffer) error
	// FetchF32 is a DownloadF32 that only enqueues the copy, so that later work may overwrite src. wait waits for the
	// copy, but not for work enqueued after it, and returns the first error of the stream so far; only then dst is to
	// be read. Several fetches may be open, and are waited for in their order. A wait that is nil means that dst is
	// there without an error.
	FetchF32(dst []float32, src Buffer) (wait func() error)
	// Copy copies F32 and BF16 to either, rounded to the nearest even where it narrows, and I32 to I32.
	Copy(dst, src Buffer)
	Fill(dst Buffer, value float32) // of any type
	// Sync waits for all work and returns the first error since the last Sync, which it clears.
	Sync() error
}
