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

// uploadAs uploads n elements of so many bytes, of bits as the kernels name them, to memory of type t.
func (d *Device) uploadAs(to uint64, t accelerators.DType, bits string, from unsafe.Pointer, size, n int) {
	if bits == t.String() {
		d.upload(to, from, size*n)
		return
	}
	d.stage(from, size*n, func(at uint64, done, bytes int) {
		d.convert(to+uint64(done/size*t.Size()), t, at, bits, bytes/size)
	})
}
