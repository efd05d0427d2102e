package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// bf16Kernels are the kernels of products whose operands are rounded to bfloat16. They work on pairs: two values that
// follow each other in K, the first in the low half of 32 bits.
func bf16Kernels() {
	pairTile()
	pairColumns()
	pairRows()
	pairTranspose()
	prefetch()
	dotPeak()
}

// The instructions below are in neither avo nor Go's assembler.

// dotPairs is VDPBF16PS: sum += x*y over both halves of each lane. EVEX.512.F3.0F38.W0 52 /r.
func dotPairs(x, y, sum reg.VecPhysical) { evex("VDPBF16PS", prefixF3, 0x52, y, x, sum) }

// roundPairs is VCVTNE2PS2BF16: the low half of to is the rounded lanes of low, the high half those of high.
// EVEX.512.F2.0F38.W0 72 /r.
func roundPairs(low, high, to reg.VecPhysical) { evex("VCVTNE2PS2BF16", prefixF2, 0x72, low, high, to) }

// The field pp, which stands for a prefix.
const (
	prefixNone = 0
	prefixF3   = 2
	prefixF2   = 3
)

// evex emits a 512-bit instruction of the opcode map 0F38 with W = 0, no mask and registers only, operands in Go's
// order. The layout is that of the Intel Software Developer's Manual, volume 2, section "Intel AVX-512 encoding";
// fields marked ~ are stored inverted, and [i] is a bit of a register's number:
//
//	62 | ~R ~X ~B ~R' 0 m m m | W ~v ~v ~v ~v 1 p p | z L' L b ~V' a a a | opcode | 11 reg rm
//
// R' R reg is to, V' v is second, and X B rm is first.
func evex(name string, pp, opcode int, first, second, to reg.VecPhysical) {
	const map0F38, fixed, length512, direct = 2, 1 << 2, 2 << 5, 3 << 6
	f, s, t := int(first.PhysicalIndex()), int(second.PhysicalIndex()), int(to.PhysicalIndex())
	inverted := func(register, bit, at int) int { return (^register >> bit & 1) << at }
	p0 := inverted(t, 3, 7) | inverted(f, 4, 6) | inverted(f, 3, 5) | inverted(t, 4, 4) | map0F38
	p1 := ^s&15<<3 | fixed | pp
	p2 := length512 | inverted(s, 4, 3)
	modrm := direct | t&7<<3 | f&7
	Comment(fmt.Sprintf("%s Z%d, Z%d, Z%d", name, f, s, t))
	raw("LONG", U32(0x62|p0<<8|p1<<16|p2<<24))
	raw("WORD", U16(opcode|modrm<<8))
}

// raw emits bytes, the lowest first.
func raw(directive string, bytes Constant) {
	Instruction(&ir.Instruction{Opcode: directive, Operands: []Op{bytes}})
}

// pairTile is the f32 tile with pairs for numbers, which have its size.
func pairTile() {
	begin("tilePairs", tileSignature, "is the 6x64 tile of a product of pairs.")
	t := tile{regs: zs, lanes: 16, vectors: 4, rows: 6, pitch: 64, unroll: 4, b: zs[24:28], a: zs[28:32], multiply: dotPairs}
	t.generate(tile.storeMasked)
}

const pairSignature = "func(dst []float32, ldd int, src []float32, lds, rows, cols int)"

// pairColumns rounds two rows at a time and interleaves them.
func pairColumns() {
	begin("pairColumns", pairSignature,
		"sets dst[i*ldd+j] to the pair src[2i*lds+j], src[(2i+1)*lds+j] for j < cols <= 64. "+
			"Lanes j up to the next multiple of 16 become 0.")
	dst, ldd, src, lds := base("dst"), stride("ldd"), base("src"), stride("lds")
	rows, cols := integer("rows"), integer("cols")
	interleave := zs[31]
	VMOVUPS(interleaving(), interleave)
	for v := 1; v < 4; v++ {
		CMPQ(cols, I32(16*v))
		JLE(LabelRef(fmt.Sprintf("columns%d", v)))
	}
	for v := 4; v >= 1; v-- {
		label := func(s string) string { return fmt.Sprintf("%s%d", s, v) }
		low, high := zs[:v], zs[v:2*v]
		Label(label("columns"))
		SUBQ(I32(16*(v-1)), cols)
		KMOVW(firstBits(cols).As32(), reg.K1)
		Label(label("two"))
		SUBQ(I32(2), rows)
		JL(LabelRef(label("one")))
		loadColumns(low, Mem{Base: src})
		loadColumns(high, Mem{Base: src, Index: lds, Scale: 1})
		for i := range v {
			PREFETCHT0(Mem{Base: src, Index: lds, Scale: 8, Disp: 64 * i})
		}
		storePairs(low, high, interleave, dst)
		LEAQ(Mem{Base: src, Index: lds, Scale: 2}, src)
		ADDQ(ldd, dst)
		JMP(LabelRef(label("two")))
		Label(label("one"))
		CMPQ(rows, I8(-1))
		JNE(LabelRef(label("over")))
		loadColumns(low, Mem{Base: src})
		for _, r := range high {
			clearRegister(r, 16)
		}
		storePairs(low, high, interleave, dst)
		Label(label("over"))
		end()
	}
}

// interleaving is the order of 16-bit lanes that puts lane i of the low half beside lane i of the high half.
func interleaving() Mem {
	m := GLOBL("interleaving", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(i|(16+i)<<16))
	}
	return m
}

// loadColumns loads vectors, the last under the mask K1.
func loadColumns(to []reg.VecPhysical, from Mem) {
	for i, r := range to {
		if i < len(to)-1 {
			VMOVUPS(from.Offset(64*i), r)
		} else {
			VMOVUPS_Z(from.Offset(64*i), reg.K1, r)
		}
	}
}

func storePairs(low, high []reg.VecPhysical, interleave, dst reg.Register) {
	for i := range low {
		roundPairs(low[i], high[i], low[i])
		VPERMW(low[i], interleave, low[i])
		VMOVUPS(low[i], Mem{Base: dst, Disp: 64 * i})
	}
}

// pairRows rounds rows; neighbours are pairs already.
func pairRows() {
	begin("pairRows", pairSignature,
		"sets dst[i*ldd+j] to the pair src[i*lds+2j], src[i*lds+2j+1] for i < rows, j < cols/2, an odd last column "+
			"paired with 0. Lanes j up to the next multiple of 16 become 0.")
	dst, ldd, src, lds := base("dst"), stride("ldd"), base("src"), stride("lds")
	rows, cols := integer("rows"), integer("cols")
	from, to, left := GP64(), GP64(), GP64()
	Label("row")
	MOVQ(src, from)
	MOVQ(dst, to)
	MOVQ(cols, left)
	JMP(LabelRef("test"))
	Label("whole")
	VMOVUPS(Mem{Base: from}, zs[0])
	VMOVUPS(Mem{Base: from, Disp: 64}, zs[1])
	roundPairs(zs[0], zs[1], zs[0])
	VMOVUPS(zs[0], Mem{Base: to})
	ADDQ(I32(128), from)
	ADDQ(I32(64), to)
	SUBQ(I32(32), left)
	Label("test")
	CMPQ(left, I32(32))
	JGE(LabelRef("whole"))
	TESTQ(left, left)
	JZ(LabelRef("next"))
	pairMasks(left)
	loadPairs(from, zs[0], zs[1])
	roundPairs(zs[0], zs[1], zs[0])
	VMOVUPS(zs[0], Mem{Base: to})
	Label("next")
	ADDQ(lds, src)
	ADDQ(ldd, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

// pairMasks sets K1 and K2 to the masks of n values in two vectors, n from 1 to 32.
func pairMasks(n reg.GPVirtual) {
	bits := firstBits(n)
	KMOVW(bits.As32(), reg.K1)
	SHRQ(U8(16), bits)
	KMOVW(bits.As32(), reg.K2)
}

func loadPairs(from reg.GPVirtual, low, high reg.VecPhysical) {
	VMOVUPS_Z(Mem{Base: from}, reg.K1, low)
	VMOVUPS_Z(Mem{Base: from, Disp: 64}, reg.K2, high)
}

// pairTranspose is a transposition of pairs, 16 rows by 32 columns at a time.
func pairTranspose() {
	begin("pairTranspose", pairSignature,
		"sets dst[j*ldd+i] to the pair src[i*lds+2j], src[i*lds+2j+1] for i < rows <= 16, j < cols/2, an odd last "+
			"column paired with 0. It writes 16 lanes i.")
	dst, ldd, src, lds := base("dst"), stride("ldd"), base("src"), stride("lds")
	rows, cols := integer("rows"), integer("cols")
	from, to, left := GP64(), GP64(), GP64()
	Label("block")
	pairMasks(columnBits(cols, 32))
	MOVQ(src, from)
	MOVQ(rows, left)
	for i := range 16 {
		loadPairs(from, zs[16], zs[17])
		roundPairs(zs[16], zs[17], zs[i])
		DECQ(left)
		JZ(LabelRef("turn"))
		ADDQ(lds, from)
	}
	Label("turn")
	turn16()
	MOVQ(dst, to)
	MOVQ(cols, left)
	for i := range 16 {
		VMOVUPS(zs[i], Mem{Base: to})
		ADDQ(ldd, to)
		SUBQ(I32(2), left)
		JLE(LabelRef("next"))
	}
	Label("next")
	MOVQ(to, dst)
	ADDQ(I32(128), src)
	SUBQ(I32(32), cols)
	JG(LabelRef("block"))
	end()
}

// prefetch is for rows that are packed soon; the processor does not foresee a jump from row to row.
func prefetch() {
	begin("prefetch", "func(x []float32)", "asks for x, of at least one element, to come to the second-level cache.")
	x, n := base("x"), Load(Param("x").Len(), GP64()).(reg.GPVirtual)
	Label("line")
	PREFETCHT1(Mem{Base: x})
	ADDQ(I32(64), x)
	SUBQ(I32(16), n)
	JG(LabelRef("line"))
	RET()
}

// peakSums is how many independent sums the peak loop has; more than the latency of an instruction in cycles.
const peakSums = 24

func dotPeak() {
	TEXT("dotPeakBF16", NOSPLIT, "func(turns int)")
	Doc(fmt.Sprintf("dotPeakBF16 is VDPBF16PS at the rate of the registers: %d operations a turn.", peakSums*64))
	turns := integer("turns")
	for _, r := range zs[:peakSums+2] {
		clearRegister(r, 16)
	}
	Label("turn")
	for _, sum := range zs[:peakSums] {
		dotPairs(zs[peakSums], zs[peakSums+1], sum)
	}
	DECQ(turns)
	JNZ(LabelRef("turn"))
	end()
}
