//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

const (
	nf4Unit  = accelerators.NF4Unit
	nf4Block = accelerators.NF4Block
)

// An nf4Matrix is the addresses of the parts of packed weights: the codes, their scales in eight bits, the scales of
// these, and the mean.
type nf4Matrix struct {
	codes, scales, tops, mean uint64
	rooms                     int // bytes of scales
}

func nf4Of(packed uint64, n int) nf4Matrix {
	units := blocks(n, nf4Unit)
	m := nf4Matrix{codes: packed, rooms: blocks(2*units, 4) * 4}
	m.scales = m.codes + uint64(units*nf4Unit/2)
	m.tops = m.scales + uint64(m.rooms)
	m.mean = m.tops + uint64(4*blocks(2*units, dynamic8Block))
	return m
}

// PackNF4 holds weights in 4 bits each, in the words that the CPU makes of them.
func (d *Device) PackNF4(packed, x accelerators.Buffer) {
	c := d.call("PackNF4")
	n := x.Len
	words := accelerators.NF4Words(n)
	c.exact("packed", packed, words)
	to, from := c.writeI32("packed", packed, words), c.f32("x", x, n)
	if !passed(c, n) {
		return
	}
	m, count := nf4Of(to, n), blocks(n, nf4Block)
	scales, table := d.scratch(slotScales, 4*max(1, count)), d.codeTable()
	d.launch("nf4", "pack_codes", tiles(n, nf4Unit/16), m.codes, scales, from, uint64(n), table)
	d.launch("nf4", "mean_scale", tiles(1, 1), m.mean, scales, uint64(count))
	d.launch("nf4", "pack_scales", tiles(m.rooms, 1), m.scales, m.tops, scales, m.mean, uint64(count),
		uint64(m.rooms), table)
}

// UnpackNF4: out = weights of packed from number from on.
func (d *Device) UnpackNF4(out, packed accelerators.Buffer, of, from int) {
	c := d.call("UnpackNF4")
	c.exact("packed", packed, accelerators.NF4Words(c.size(of)))
	if from < 0 || from%nf4Unit != 0 || out.Len > of-from {
		c.fail("from %d on there are no %d of %d weights, or %d does not divide it", from, out.Len, of, nf4Unit)
	}
	words, to := c.i32("packed", packed, packed.Len), c.write("out", out, out.Len)
	if !passed(c, nf4Shape{of, from}) {
		return
	}
	m, block := nf4Of(words, of), from/nf4Block
	d.launch("nf4", c.variant("unpack_nf4"), tiles(out.Len, unpackOwn), to, m.codes+uint64(from/2),
		m.scales+uint64(block), m.tops, m.mean, uint64(block), uint64(out.Len), d.codeTable())
}

// unpackOwn is how many weights a thread unpacks.
const unpackOwn = 16

// nf4Shape is what unpacking says of itself in an error.
type nf4Shape struct{ Of, From int }
