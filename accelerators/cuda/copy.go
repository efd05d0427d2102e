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
	if (dst.Type == accelerators.I32) != (src.Type == accelerators.I32) {
		c.fail("dst is %v and src %v", dst.Type, src.Type)
	}
	to, from := c.address("dst", dst, dst.Type, dst.Len, updates), c.address("src", src, src.Type, dst.Len, reads)
	if passed(c, dst.Len) {
		d.convert(to, dst.Type, from, bitsOf(src.Type), dst.Len)
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
		d.launch("copy", "fill_"+bitsOf(dst.Type), tiles(dst.Len, copyOwn), to, uint64(dst.Len), bits)
	}
}

// convert enqueues a copy of n elements, from bits of a kind as the kernels name it.
func (d *Device) convert(to uint64, t accelerators.DType, from uint64, bits string, n int) {
	d.launch("copy", "copy_"+bitsOf(t)+"_"+bits, tiles(n, copyOwn), to, from, uint64(n))
}

// bitsOf is what the kernels copy a type as.
func bitsOf(t accelerators.DType) string {
	if t == accelerators.I32 {
		t = accelerators.F32
	}
	return t.String()
}
