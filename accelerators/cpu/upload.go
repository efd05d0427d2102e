package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

type upload struct {
	set      *kernelSet
	to, from []float32
}

func (o *upload) items(_, lo, hi int) { o.set.copy(o.to[lo:hi], o.from[lo:hi]) }

// UploadF32 copies src to dst, which has the same length.
func (d *Device) UploadF32(dst accelerators.Buffer, src []float32) {
	c := d.call("UploadF32")
	c.exact("dst", dst, len(src))
	to := c.f32("dst", dst, len(src))
	if passed(c, len(src)) {
		d.ops.upload = upload{d.setFor(to, blockWork), to, src}
		d.each(len(to), 1, &d.ops.upload)
		d.ops.upload.from = nil
	}
}

// widening is an upload of numbers of sixteen bits.
type widening struct {
	kernel, rest func(dst []float32, src []uint16)
	to           []float32
	from         []uint16
}

func (o *widening) items(_, lo, hi int) {
	whole := lo + (hi-lo)&^31
	o.kernel(o.to[lo:whole], o.from[lo:whole])
	o.rest(o.to[whole:hi], o.from[whole:hi])
}

// UploadBF16 widens src to dst, which has the same length.
func (d *Device) UploadBF16(dst accelerators.Buffer, src []uint16) {
	d.widen("UploadBF16", dst, src, d.set.widenBF16, widenBF16Generic)
}

// UploadF16 widens src to dst, which has the same length.
func (d *Device) UploadF16(dst accelerators.Buffer, src []uint16) {
	d.widen("UploadF16", dst, src, d.set.widenF16, widenF16Generic)
}

func (d *Device) widen(op string, dst accelerators.Buffer, src []uint16, kernel, rest func([]float32, []uint16)) {
	c := d.call(op)
	c.exact("dst", dst, len(src))
	to := c.f32("dst", dst, len(src))
	if passed(c, len(src)) {
		d.ops.widening = widening{kernel, rest, to, src}
		d.each(len(to), 1, &d.ops.widening)
		d.ops.widening.from = nil
	}
}

func widenBF16Generic(dst []float32, src []uint16) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] = math.Float32frombits(uint32(v) << 16)
	}
}

// widenF16Generic moves exponent and fraction to their places and corrects the exponent's bias. Denormal halves become normal
// numbers by a subtraction, which is exact.
func widenF16Generic(dst []float32, src []uint16) {
	const (
		exponent = 0x7c00 << 13
		rebias   = (127 - 15) << 23
	)
	least := math.Float32frombits(rebias + 1<<23)
	src = src[:len(dst)]
	for i, v := range src {
		bits := uint32(v&0x7fff) << 13
		sign := uint32(v&0x8000) << 16
		switch bits & exponent {
		case 0:
			bits = math.Float32bits(math.Float32frombits(bits+rebias+1<<23) - least)
		case exponent:
			bits += 2 * rebias
		default:
			bits += rebias
		}
		dst[i] = math.Float32frombits(bits | sign)
	}
}
