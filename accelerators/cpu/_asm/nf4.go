package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// nf4Levels are the levels of NF4, as package accelerators has them.
var nf4Levels = [16]float32{
	-1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
	-0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
	0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
}

// unpackNF4 makes a unit of 128 numbers from 16 words at a time: nibble k of word j is number 16k+j, so that a shift
// brings the codes of a whole vector to where a permutation of the levels reads them. A unit has two blocks of 64.
func unpackNF4(s isa) {
	const unit, nibbles = 128, 8
	begin("unpackNF4"+s.name, "func(dst []float32, codes []int32, scales []float32)",
		"makes numbers in NF4 float32, whole units of 128, from 16 words and two scales for each.")
	p, n := slices("dst", "codes", "scales")
	dst, codes, scales := p[0], p[1], p[2]
	look := s.nf4Lookup()
	JMP(LabelRef("test"))
	Label("unit")
	var scale [2]reg.VecVirtual
	for block := range scale {
		scale[block] = s.vec()
		VBROADCASTSS(Mem{Base: scales, Disp: 4 * block}, scale[block])
	}
	for at := 0; at < 64; at += s.bytes() {
		words := s.vec()
		VMOVUPS(Mem{Base: codes, Disp: at}, words)
		for k := range nibbles {
			v := look(words, k)
			VMULPS(scale[k/4], v, v)
			VMOVUPS(v, Mem{Base: dst, Disp: 64*k + at})
		}
	}
	ADDQ(I32(4*unit), dst)
	ADDQ(I32(64), codes)
	ADDQ(I32(8), scales)
	SUBQ(I32(unit), n)
	Label("test")
	CMPQ(n, I32(unit))
	JGE(LabelRef("unit"))
	end()
}

// nf4Lookup returns what finds the levels of nibble k of words. AVX2 permutes eight at a time: the nibble's highest bit
// chooses between the two halves.
func (s isa) nf4Lookup() func(words reg.VecVirtual, k int) reg.VecVirtual {
	table := GLOBL("nf4Levels"+s.name, RODATA|NOPTR)
	for i, x := range nf4Levels {
		DATA(4*i, U32(math.Float32bits(x)))
	}
	low := s.vec()
	VMOVUPS(table, low)
	if s.wide() {
		return func(words reg.VecVirtual, k int) reg.VecVirtual {
			v := s.vec()
			VPSRLD(U8(4*k), words, v)
			VPERMPS(low, v, v)
			return v
		}
	}
	high := s.vec()
	VMOVUPS(table.Offset(32), high)
	return func(words reg.VecVirtual, k int) reg.VecVirtual {
		v, upper, top := s.vec(), s.vec(), s.vec()
		VPSRLD(U8(4*k), words, v)
		VPSLLD(U8(28-4*k), words, top)
		VPERMPS(high, v, upper)
		VPERMPS(low, v, v)
		VBLENDVPS(top, upper, v, v)
		return v
	}
}
