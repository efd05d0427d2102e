package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/dynamic8"
)

const (
	nf4Unit      = accelerators.NF4Unit
	nf4Block     = accelerators.NF4Block
	nf4UnitWords = nf4Unit / 8
)

// An nf4Matrix is the words of packed weights. Nibble k of word j of a unit is its number 16k+j. The scales, less their
// mean, are numbers in eight bits; their own scales, tops, and the mean are float32 as they are.
type nf4Matrix struct {
	codes  []int32
	scales []byte
	tops   []int32
	mean   *int32
}

func nf4Of(words []int32, n int) nf4Matrix {
	units := (n + nf4Unit - 1) / nf4Unit
	codes, rest := words[:units*nf4UnitWords], words[units*nf4UnitWords:]
	scales, rest := rest[:(2*units+3)/4], rest[(2*units+3)/4:]
	return nf4Matrix{codes, parts[byte](scales), rest[:len(rest)-1], &rest[len(rest)-1]}
}

// scale is that of block i.
func (m *nf4Matrix) scale(i int) float32 {
	return dynamic8.First(m.scales[i], asFloat(m.tops[i/dynamic8Block])) + asFloat(*m.mean)
}

func asFloat(word int32) float32 { return math.Float32frombits(uint32(word)) }

func asWord(x float32) int32 { return int32(math.Float32bits(x)) }

// packNF4 finds codes and scales of units; the scales are packed when all are known.
type packNF4 struct {
	nf4Matrix
	x, scales []float32
}

func (o *packNF4) items(_, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		words := o.codes[unit*nf4UnitWords : (unit+1)*nf4UnitWords]
		clear(words)
		for half := range nf4Unit / nf4Block {
			i := unit*nf4Unit + half*nf4Block
			block := o.x[min(i, len(o.x)):min(i+nf4Block, len(o.x))]
			if len(block) > 0 {
				o.scales[i/nf4Block] = packBlock(words, half*nf4Block, block)
			}
		}
	}
}

// packBlock sets the codes of a block, the first of which is number first of its unit, and returns its scale.
func packBlock(words []int32, first int, block []float32) float32 {
	top := magnitude(block)
	inverse := dynamic8.PerScale(top)
	words = words[:16]
	for from := 0; from < len(block); from += 16 {
		shift := (first + from) / 16 * 4
		for j, v := range block[from:min(from+16, len(block))] {
			words[j&15] |= nf4Code(v*inverse) << shift
		}
	}
	return top
}

// magnitude is the largest of x; without signs, numbers are in the order of their bits.
func magnitude(x []float32) float32 {
	top := uint32(0)
	for _, v := range x {
		top = max(top, math.Float32bits(v)&^(1<<31))
	}
	return math.Float32frombits(top)
}

// nf4Bounds lie between the levels; what is above one is rounded to the next.
var nf4Bounds = bounds()

func bounds() (between [16]float32) {
	levels := accelerators.NF4Levels
	for i := range levels[1:] {
		between[i] = (levels[i] + levels[i+1]) / 2
	}
	between[15] = 2
	return between
}

// nf4Cells are the codes at the lower ends of cells of a 16th from -1 on. No cell has more than one bound in it, and none at
// its end; the last is that of 1 itself.
var nf4Cells = cells()

func cells() (codes [64]uint8) {
	for i := range 33 {
		for nf4Bounds[codes[i]] < float32(i)/16-1 {
			codes[i]++
		}
	}
	return codes
}

// nf4Code is how many bounds lie below v, which is from -1 to 1 or not a number.
func nf4Code(v float32) int32 {
	code := nf4Cells[uint32(int32((v+1)*16))%64]
	above := uint8(0)
	if v > nf4Bounds[code&15] {
		above = 1
	}
	return int32(code + above)
}

// packScales rounds the scales, which become less by their mean.
func (m *nf4Matrix) packScales(scales []float32) {
	sum := 0.0
	for _, v := range scales {
		sum += float64(v)
	}
	mean := float32(sum / float64(max(1, len(scales))))
	*m.mean = asWord(mean)
	clear(m.scales)
	for g := range m.tops {
		first := g * dynamic8Block
		group := scales[min(first, len(scales)):min(first+dynamic8Block, len(scales))]
		for i := range group {
			group[i] -= mean
		}
		top := magnitude(group)
		m.tops[g] = asWord(top)
		inverse := dynamic8.PerScale(top)
		for i, v := range group {
			m.scales[first+i] = dynamic8.FirstCode(v * inverse)
		}
	}
}

// PackNF4 holds weights in 4 bits each.
func (d *Device) PackNF4(packed, x accelerators.Buffer) {
	c := d.call("PackNF4")
	n := x.Len
	c.exact("packed", packed, accelerators.NF4Words(n))
	words, xs := c.i32("packed", packed, accelerators.NF4Words(n)), c.f32("x", x, n)
	if !passed(c, n) {
		return
	}
	scales := d.shared.floats(slotScales, (n+nf4Block-1)/nf4Block)
	o := &d.ops.packNF4
	*o = packNF4{nf4Of(words, n), xs, scales}
	d.each((n+nf4Unit-1)/nf4Unit, 8*nf4Unit, o)
	o.packScales(scales)
}

type unpackNF4 struct {
	nf4Matrix
	dev   *Device
	out   []float32
	first int // unit
}

func (o *unpackNF4) items(worker, lo, hi int) {
	scales := o.dev.scratch[worker].floats(slotScales, 2*(hi-lo))
	for i := range scales {
		scales[i] = o.scale(2*(o.first+lo) + i)
	}
	out := o.out[lo*nf4Unit : min(hi*nf4Unit, len(o.out))]
	codes := o.codes[(o.first+lo)*nf4UnitWords : (o.first+hi)*nf4UnitWords]
	units := len(out) / nf4Unit
	whole := units * nf4Unit
	o.dev.set.unpackNF4(out[:whole], codes[:units*nf4UnitWords], scales[:2*units])
	unpackNF4Generic(out[whole:], codes[units*nf4UnitWords:], scales[2*units:])
}

// UnpackNF4: out = weights of packed from number from on.
func (d *Device) UnpackNF4(out, packed accelerators.Buffer, of, from int) {
	c := d.call("UnpackNF4")
	c.exact("packed", packed, accelerators.NF4Words(c.size(of)))
	if from < 0 || from%nf4Unit != 0 || out.Len > of-from {
		c.fail("from %d on there are no %d of %d weights, or %d does not divide it", from, out.Len, of, nf4Unit)
	}
	words, to := c.i32("packed", packed, packed.Len), c.write("out", out, out.Len)
	if passed(c, nf4Shape{of, from}) {
		d.ops.unpackNF4 = unpackNF4{nf4Of(words, of), d, to, from / nf4Unit}
		d.each((len(to)+nf4Unit-1)/nf4Unit, nf4Unit, &d.ops.unpackNF4)
	}
}

// nf4Shape is what unpacking says of itself in an error.
type nf4Shape struct{ Of, From int }

func unpackNF4Generic(dst []float32, codes []int32, scales []float32) {
	for i := range dst {
		word := codes[i/nf4Unit*nf4UnitWords+i%16]
		dst[i] = accelerators.NF4Levels[word>>(i%nf4Unit/16*4)&15] * scales[i/nf4Block]
	}
}
