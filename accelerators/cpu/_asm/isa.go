package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// An isa is an instruction set for which the row kernels are generated.
type isa struct {
	name  string
	lanes int
	kept  map[uint32]reg.VecVirtual // constants that the function keeps in registers, by their bits
	past  bool                      // whole vectors are stored past the cache, to aligned addresses
}

// streaming is the set with stores past the cache.
func (s isa) streaming() isa {
	s.name, s.past = "Stream"+s.name, true
	return s
}

var (
	avx2   = isa{name: "AVX2", lanes: 8}
	avx512 = isa{name: "AVX512", lanes: 16}
)

// keep loads constants for the whole function where there are registers for it: AVX-512 has 32, and its loads are wide
// enough to take as long as the arithmetic.
func (s isa) keep(lists ...[]uint32) isa {
	if !s.wide() {
		return s
	}
	s.kept = map[uint32]reg.VecVirtual{}
	for _, list := range lists {
		for _, bits := range list {
			if s.kept[bits] == nil {
				v := s.vec()
				VMOVUPS(word(bits), v)
				s.kept[bits] = v
			}
		}
	}
	return s
}

// words are the bits of constants.
func words(values ...float64) []uint32 {
	var bits []uint32
	for _, x := range values {
		bits = append(bits, math.Float32bits(float32(x)))
	}
	return bits
}

// constant is an operand with the value in all lanes.
func (s isa) constant(x float64) Op { return s.word(words(x)[0]) }

func (s isa) word(bits uint32) Op {
	if v := s.kept[bits]; v != nil {
		return v
	}
	return word(bits)
}

func (s isa) wide() bool { return s.lanes == 16 }

func (s isa) bytes() int { return 4 * s.lanes }

func (s isa) vec() reg.VecVirtual {
	if s.wide() {
		return ZMM()
	}
	return YMM()
}

func (s isa) zero() reg.VecVirtual {
	v := s.vec()
	s.xor(v)
	return v
}

// xor makes v zero.
func (s isa) xor(v reg.VecVirtual) {
	if s.wide() {
		VPXORD(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
}

var constants = map[uint32]Mem{}

// word is a memory operand with the bits in all lanes.
func word(bits uint32) Mem {
	m, ok := constants[bits]
	if !ok {
		m = GLOBL(fmt.Sprintf("lanes%08x", bits), RODATA|NOPTR)
		for i := range 16 {
			DATA(4*i, U32(bits))
		}
		constants[bits] = m
	}
	return m
}

// load returns a register with the constant.
func (s isa) load(x float64) reg.VecVirtual {
	v := s.vec()
	VMOVUPS(s.constant(x), v)
	return v
}

// scalar is a float32 parameter in all lanes.
func (s isa) scalar(name string) reg.VecVirtual {
	v := s.vec()
	broadcast(name, v)
	return v
}

func broadcast(name string, v reg.Register) {
	at, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(at.Addr, v)
}

// A lane is one vector of a loop over rows: its displacement, and in the tail its mask.
type lane struct {
	isa  isa
	disp int
	unit int // which of the unrolled vectors
	tail bool
	bits reg.OpmaskVirtual
	mask reg.VecVirtual
}

// streamAhead is how many bytes early an operand of a streaming kernel is asked for: a page, at the end of which the
// processor ceases to look ahead. Beside stores past the cache it is late by itself where an operand is the only one.
const streamAhead = 4096

func (l lane) load(p reg.Register) reg.VecVirtual {
	if l.isa.past && !l.tail {
		PREFETCHT0(Mem{Base: p, Disp: l.disp + streamAhead})
	}
	return l.read(Mem{Base: p, Disp: l.disp})
}

func (l lane) store(v reg.VecVirtual, p reg.Register) { l.write(v, Mem{Base: p, Disp: l.disp}) }

func (l lane) read(m Mem) reg.VecVirtual {
	v := l.isa.vec()
	switch {
	case !l.tail:
		VMOVUPS(m, v)
	case l.isa.wide():
		VMOVUPS_Z(m, l.bits, v)
	default:
		VMASKMOVPS(m, l.mask, v)
	}
	return v
}

func (l lane) write(v reg.VecVirtual, m Mem) {
	switch {
	case !l.tail && l.isa.past:
		VMOVNTPS(v, m)
	case !l.tail:
		VMOVUPS(v, m)
	case l.isa.wide():
		VMOVUPS(v, l.bits, m)
	default:
		VMASKMOVPS(v, l.mask, m)
	}
}

// add adds the lanes that exist to sum.
func (l lane) add(v, sum reg.VecVirtual) {
	switch {
	case !l.tail:
		VADDPS(v, sum, sum)
	case l.isa.wide():
		VADDPS(v, sum, l.bits, sum)
	default:
		t := l.isa.vec()
		VANDPS(v, l.mask, t)
		VADDPS(t, sum, sum)
	}
}

// max raises top by the lanes that exist. NaNs are skipped, as the first operand of the maximum is.
func (l lane) max(v, top reg.VecVirtual) {
	switch {
	case !l.tail:
		VMAXPS(top, v, top)
	case l.isa.wide():
		VMAXPS(top, v, l.bits, top)
	default:
		t := l.isa.vec()
		VBLENDVPS(l.mask, v, top, t)
		VMAXPS(top, t, top)
	}
}

// loop runs body over n elements behind the pointers: unroll vectors at a time, then one, then what is left.
func (s isa) loop(n reg.GPVirtual, pointers []reg.GPVirtual, unroll int, body func(lane)) {
	s.whole("many", n, pointers, unroll, body)
	if unroll > 1 {
		s.whole("one", n, pointers, 1, body)
	}
	TESTQ(n, n)
	JZ(LabelRef("over"))
	body(s.tail(n))
	Label("over")
	if s.past {
		SFENCE()
	}
}

func (s isa) whole(label string, n reg.GPVirtual, pointers []reg.GPVirtual, unroll int, body func(lane)) {
	JMP(LabelRef(label + "Test"))
	Label(label)
	for u := range unroll {
		body(lane{isa: s, disp: u * s.bytes(), unit: u})
	}
	for _, p := range pointers {
		ADDQ(I32(unroll*s.bytes()), p)
	}
	SUBQ(I32(unroll*s.lanes), n)
	Label(label + "Test")
	CMPQ(n, I32(unroll*s.lanes))
	JGE(LabelRef(label))
}

// tail is the mask of the first n lanes.
func (s isa) tail(n reg.GPVirtual) lane {
	l := lane{isa: s, tail: true}
	if s.wide() {
		l.bits = K()
		bits := firstBits(n)
		KMOVW(bits.As32(), l.bits)
		return l
	}
	l.mask = YMM()
	loadMask(n, l.mask)
	return l
}

// firstBits is a number whose n lowest bits are set, n from 1 to 63.
func firstBits(n reg.GPVirtual) reg.GPVirtual {
	bits := GP64()
	MOVQ(n, reg.RCX)
	MOVQ(I32(1), bits)
	SHLQ(reg.CL, bits)
	DECQ(bits)
	return bits
}

var maskTable Mem

// loadMask sets the first n of 8 lanes of mask.
func loadMask(n reg.GPVirtual, mask reg.Register) {
	if maskTable.Base == nil {
		maskTable = GLOBL("maskTable", RODATA|NOPTR)
		for i := range 16 {
			DATA(4*i, I32(-min(1, 1-i/8)))
		}
	}
	at, back := GP64(), GP64()
	LEAQ(maskTable.Offset(32), at)
	MOVQ(n, back)
	SHLQ(U8(2), back)
	SUBQ(back, at)
	VMOVUPS(Mem{Base: at}, mask)
}

// fold combines the lanes of v to one.
func (s isa) fold(v reg.VecVirtual, op func(ops ...Op)) reg.VecVirtual {
	y := v.AsY().(reg.VecVirtual)
	if s.wide() {
		y = YMM()
		VEXTRACTF64X4(U8(1), v, y)
		op(v.AsY(), y, y)
	}
	x, t := XMM(), XMM()
	VEXTRACTF128(U8(1), y, x)
	op(y.AsX(), x, x)
	VPERMILPS(U8(0x4e), x, t)
	op(t, x, x)
	VPERMILPS(U8(0xb1), x, t)
	op(t, x, x)
	return x
}
