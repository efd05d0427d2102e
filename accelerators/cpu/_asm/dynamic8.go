package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A dynamic8Map is where a map of package dynamic8 lies.
type dynamic8Map struct {
	base reg.Register
	disp int
}

// The bytes of a map, and where its tables begin.
const (
	mapBytes  = 4*128 + 2*64 + 64 + 1024
	mapRise   = 512
	mapStart  = 576
	mapLeast  = 640
	mapTables = 4 // border, slope, offset, top
)

// row is a vector of the map.
func (m dynamic8Map) row(disp int) reg.VecVirtual {
	v := ZMM()
	VMOVUPS(Mem{Base: m.base, Disp: m.disp + disp}, v)
	return v
}

// A decoder turns codes into shares.
type decoder struct{ rise, start reg.VecVirtual }

func (m dynamic8Map) decoder() decoder { return decoder{m.row(mapRise), m.row(mapStart)} }

// share is of codes without sign, which it overwrites.
func (d decoder) share(code reg.VecVirtual) reg.VecVirtual {
	entry, rise, x := ZMM(), ZMM(), ZMM()
	VPADDD(code, code, code)
	VPORD(word(1), code, code)
	VCVTDQ2PS(code, code)
	VPSRLD(U8(23), code, entry)
	VPERMPS(d.rise, entry, rise)
	VPERMPS(d.start, entry, x)
	VFMADD231PS(rise, code, x)
	return x
}

// signed is of codes with a sign, which it overwrites.
func (d decoder) signed(code reg.VecVirtual) reg.VecVirtual {
	sign, whole := ZMM(), K()
	VPCMPEQD(word(128), code, whole)
	VPSLLD(U8(24), code, sign)
	VPANDD(word(0x80000000), sign, sign)
	VPANDD(word(127), code, code)
	x := d.share(code)
	VPXORD(sign, x, x)
	VMOVAPS(avx512.load(1), whole, x)
	return x
}

// An encoder turns shares into codes.
type encoder struct {
	tables [mapTables][2]reg.VecVirtual
	least  reg.VecVirtual
}

func (m dynamic8Map) encoder() encoder {
	e := encoder{least: m.row(mapLeast)}
	for i := range e.tables {
		e.tables[i] = [2]reg.VecVirtual{m.row(128 * i), m.row(128*i + 64)}
	}
	return e
}

// look is what a table has for the entries.
func (e encoder) look(table int, entry reg.VecVirtual) reg.VecVirtual {
	x := ZMM()
	VMOVDQA32(entry, x)
	VPERMI2PS(e.tables[table][1], e.tables[table][0], x)
	return x
}

// code is of shares that are not negative, which it overwrites.
func (e encoder) code(x reg.VecVirtual) reg.VecVirtual {
	entry, beyond := ZMM(), K()
	VMAXPS(e.least, x, x)
	VPSRLD(U8(23), x, entry)
	VPSUBD(word(96), entry, entry)
	VCMPPS(U8(0x1d), e.look(0, entry), x, beyond) // x >= border
	VPADDD(word(1), entry, beyond, entry)
	slope, code := e.look(1, entry), e.look(2, entry)
	VMULPS(slope, x, x)
	VADDPS(x, code, code)
	VMINPS(e.look(3, entry), code, code)
	VCVTTPS2DQ(code, code)
	return code
}

// signed is of any shares.
func (e encoder) signed(x reg.VecVirtual) reg.VecVirtual {
	size, below := ZMM(), K()
	VPANDD(word(0x7fffffff), x, size)
	code := e.code(size)
	VPMOVD2M(x, below)
	VPTESTMD(code, code, below, below)
	VPMINSD(word(127), code, below, code)
	VPORD(word(128), code, below, code)
	return code
}

// adamw8Block is the length of a block.
const adamw8Block = 256

func adamw8Kernel() {
	begin("adamw8AVX512", "func(param, grad []float32, m, v []byte, mScales, vScales []float32, c *[9]float32, "+
		"maps *float32, work []float32)", "is one step of AdamW on whole blocks of moments in codes.")
	k := adamw8{work: base("work"), maps: Load(Param("maps"), GP64()).(reg.GPVirtual)}
	pointers, n := slices("param", "grad", "m", "v", "mScales", "vScales")
	k.param, k.grad, k.m, k.v = pointers[0], pointers[1], pointers[2], pointers[3]
	k.mScale, k.vScale = Mem{Base: pointers[4]}, Mem{Base: pointers[5]}
	JMP(LabelRef("test"))
	Label("block")
	k.step()
	k.round()
	for i, p := range pointers {
		ADDQ(I32([]uint32{4 * adamw8Block, 4 * adamw8Block, adamw8Block, adamw8Block, 4, 4}[i]), p)
	}
	SUBQ(I32(adamw8Block), n)
	Label("test")
	TESTQ(n, n)
	JNZ(LabelRef("block"))
	end()
}

// adamw8 is a block under way. Its exact moments lie in work.
type adamw8 struct {
	param, grad, m, v, work, maps reg.GPVirtual
	mScale, vScale                Mem
}

func (k *adamw8) signed() dynamic8Map   { return dynamic8Map{k.maps, 0} }
func (k *adamw8) unsigned() dynamic8Map { return dynamic8Map{k.maps, mapBytes} }

// each runs body for the vectors of a block, with the index of the first element.
func each(label string, body func(i reg.GPVirtual)) {
	i := GP64()
	XORQ(i, i)
	Label(label)
	body(i)
	ADDQ(I32(16), i)
	CMPQ(i, I32(adamw8Block))
	JNE(LabelRef(label))
}

// exact is where the exact moment number i of a kind lies.
func (k *adamw8) exact(kind int, i reg.GPVirtual) Mem {
	return Mem{Base: k.work, Index: i, Scale: 4, Disp: 4 * adamw8Block * kind}
}

// step updates the weights and leaves the largest moments in the scales.
func (k *adamw8) step() {
	s := avx512
	f, first, second := s.adamwFactors(), k.signed().decoder(), k.unsigned().decoder()
	mScale, vScale, mTop, vTop := s.vec(), s.vec(), s.zero(), s.zero()
	VBROADCASTSS(k.mScale, mScale)
	VBROADCASTSS(k.vScale, vScale)
	each("weights", func(i reg.GPVirtual) {
		m, v, g, x, size := codes(k.m, i), codes(k.v, i), s.vec(), s.vec(), s.vec()
		VMOVUPS(Mem{Base: k.grad, Index: i, Scale: 4}, g)
		VMOVUPS(Mem{Base: k.param, Index: i, Scale: 4}, x)
		m, v = first.signed(m), second.share(v)
		VMULPS(mScale, m, m)
		VMULPS(vScale, v, v)
		f.average(g, m, v, s)
		VMOVUPS(m, k.exact(0, i))
		VMOVUPS(v, k.exact(1, i))
		VPANDD(word(0x7fffffff), m, size)
		VMAXPS(size, mTop, mTop)
		VMAXPS(v, vTop, vTop)
		f.update(x, m, v)
		VMOVUPS(x, Mem{Base: k.param, Index: i, Scale: 4})
	})
	VMOVSS(s.fold(mTop, VMAXPS).AsX(), k.mScale)
	VMOVSS(s.fold(vTop, VMAXPS).AsX(), k.vScale)
}

// round turns the exact moments into codes.
func (k *adamw8) round() {
	first, second := k.signed().encoder(), k.unsigned().encoder()
	mPer, vPer := perScale(k.mScale), perScale(k.vScale)
	each("codes", func(i reg.GPVirtual) {
		m, v := ZMM(), ZMM()
		VMULPS(k.exact(0, i), mPer, m)
		VMULPS(k.exact(1, i), vPer, v)
		VPMOVDB(first.signed(m), Mem{Base: k.m, Index: i, Scale: 1})
		VPMOVDB(second.code(v), Mem{Base: k.v, Index: i, Scale: 1})
	})
}

func codes(from, i reg.GPVirtual) reg.VecVirtual {
	x := ZMM()
	VPMOVZXBD(Mem{Base: from, Index: i, Scale: 1}, x)
	return x
}

// perScale is PerScale of package dynamic8.
func perScale(scale Mem) reg.VecVirtual {
	x, one := ZMM(), avx512.load(1)
	VBROADCASTSS(scale, x)
	VMAXPS(word(0x00800000), x, x)
	VDIVPS(x, one, x)
	return x
}
