//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// tiles is the shape of a kernel whose blocks of 256 threads (TILE_THREADS) have a tile of n elements each, of which
// every thread owns so many.
func tiles(n, own int) shape {
	const threads = 256
	return shape{blocks(n, own*threads), 1, 1, threads, 0}
}

// copyOwn is how many elements a thread copies.
const copyOwn = 16

// Copy converts between F32 and BF16 where the types differ. Both may be the same window.
func (d *Device) Copy(dst, src accelerators.Buffer) {
	c := d.call("Copy")
	c.exact("src", src, dst.Len)
	if copies[dst.Type][src.Type.String()] == "" {
		c.fail("dst is %v and src %v", dst.Type, src.Type)
	}
	to, from := c.address("dst", dst, dst.Type, dst.Len, updates), c.address("src", src, src.Type, dst.Len, reads)
	if passed(c, dst.Len) {
		d.convert(to, dst.Type, from, src.Type.String(), dst.Len)
	}
}

// Fill sets every element; an integer buffer gets the value's integer part.
func (d *Device) Fill(dst accelerators.Buffer, value float32) {
	c := d.call("Fill")
	to := c.address("dst", dst, dst.Type, dst.Len, writes)
	if passed(c, dst.Len) {
		bits := f32(value)
		if dst.Type == accelerators.I32 {
			bits = uint64(uint32(int32(value)))
		}
		d.launch("copy", fills[dst.Type], tiles(dst.Len, copyOwn), to, uint64(dst.Len), bits)
	}
}

// copies are the kernels by the type that they write and the bits that they read; fills are those of Fill. Integers are
// copied as floats, whose bits stay as they are.
var (
	copies = map[accelerators.DType]map[string]string{
		accelerators.F32:  {"f32": "copy_f32_f32", "bf16": "copy_f32_bf16", "f16": "copy_f32_f16"},
		accelerators.BF16: {"f32": "copy_bf16_f32", "bf16": "copy_bf16_bf16", "f16": "copy_bf16_f16"},
		accelerators.I32:  {"i32": "copy_f32_f32"},
	}
	fills = map[accelerators.DType]string{
		accelerators.F32: "fill_f32", accelerators.BF16: "fill_bf16", accelerators.I32: "fill_f32",
	}
)

// convert enqueues a copy of n elements, from bits of a kind that copies names.
func (d *Device) convert(to uint64, t accelerators.DType, from uint64, bits string, n int) {
	d.launch("copy", copies[t][bits], tiles(n, copyOwn), to, from, uint64(n))
}
