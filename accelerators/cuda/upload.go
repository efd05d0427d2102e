//go:build cuda

package cuda

import (
	"unsafe"

	"github.com/carebot-llm/carebot/accelerators"
)

// UploadBF16 widens src to dst, which has the same length; to BF16 memory it goes as it is.
func (d *Device) UploadBF16(dst accelerators.Buffer, src []uint16) {
	d.uploadHalves("UploadBF16", dst, "bf16", src)
}

// UploadF16 widens src to dst, which has the same length, or rounds it where dst is BF16.
func (d *Device) UploadF16(dst accelerators.Buffer, src []uint16) {
	d.uploadHalves("UploadF16", dst, "f16", src)
}

func (d *Device) uploadHalves(op string, dst accelerators.Buffer, bits string, src []uint16) {
	c := d.call(op)
	c.exact("dst", dst, len(src))
	to := c.write("dst", dst, len(src))
	if passed(c, len(src)) {
		d.uploadAs(to, dst.Type, bits, unsafe.Pointer(unsafe.SliceData(src)), 2, len(src))
	}
}

// staged is how many elements at a time are converted on their way between the host and memory of another type.
const staged = 4 << 20

// uploadAs uploads n elements of so many bytes, of bits as the kernels name them, to memory of type t.
func (d *Device) uploadAs(to uint64, t accelerators.DType, bits string, from unsafe.Pointer, size, n int) {
	if bits == t.String() {
		d.upload(to, from, size*n)
		return
	}
	stage := d.scratch(slotStaged, size*min(n, staged))
	for at := 0; at < n; at += staged {
		part := min(staged, n-at)
		d.upload(stage, unsafe.Add(from, size*at), size*part)
		d.convert(to+uint64(t.Size()*at), t, stage, bits, part)
	}
}

// downloadAs downloads n floats from memory of type t.
func (d *Device) downloadAs(to []float32, from uint64, t accelerators.DType) {
	if t == accelerators.F32 || len(to) == 0 {
		d.download(unsafe.Pointer(unsafe.SliceData(to)), from, 4*len(to))
		return
	}
	stage := d.scratch(slotStaged, 4*min(len(to), staged))
	for at := 0; at < len(to); at += staged {
		part := to[at:min(at+staged, len(to))]
		d.convert(stage, accelerators.F32, from+uint64(t.Size()*at), t.String(), len(part))
		d.download(unsafe.Pointer(unsafe.SliceData(part)), stage, 4*len(part))
	}
}
