package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func integer(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

func base(name string) reg.GPVirtual { return Load(Param(name).Base(), GP64()).(reg.GPVirtual) }

// stride is an int parameter in bytes.
func stride(name string) reg.GPVirtual {
	r := integer(name)
	SHLQ(U8(2), r)
	return r
}

// stripsKernel copies 48 columns into 8 strips of 6. It stores 8 elements at a time, so that each row overwrites two
// of the next, or of the slack behind a strip.
func stripsKernel() {
	begin("stripsAVX", "func(dst []float32, step int, src []float32, lds, rows int)",
		"copies 48 columns into 8 strips of 6, step elements apart.")
	dst, step, src, lds, rows := base("dst"), stride("step"), base("src"), stride("lds"), integer("rows")
	step3, step5, step7 := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	LEAQ(Mem{Base: step, Index: step, Scale: 4}, step5)
	LEAQ(Mem{Base: step3, Index: step, Scale: 4}, step7)
	to := []Mem{{Base: dst}, {Base: dst, Index: step, Scale: 1}, {Base: dst, Index: step, Scale: 2},
		{Base: dst, Index: step3, Scale: 1}, {Base: dst, Index: step, Scale: 4}, {Base: dst, Index: step5, Scale: 1},
		{Base: dst, Index: step3, Scale: 2}, {Base: dst, Index: step7, Scale: 1}}
	TESTQ(rows, rows)
	JZ(LabelRef("over"))
	Label("row")
	for line := range 3 {
		PREFETCHT0(Mem{Base: src, Index: lds, Scale: 8, Disp: 64 * line})
	}
	var v [8]reg.VecVirtual
	for i := range v {
		v[i] = YMM()
	}
	for i := range 7 {
		VMOVUPS(Mem{Base: src, Disp: 24 * i}, v[i])
	}
	high := XMM() // the last six in two parts: what follows them may not be readable
	VMOVUPS(Mem{Base: src, Disp: 168}, v[7].AsX())
	VMOVQ(Mem{Base: src, Disp: 184}, high)
	VINSERTF128(U8(1), high, v[7], v[7])
	for i := range v {
		VMOVUPS(v[i], to[i])
	}
	ADDQ(lds, src)
	ADDQ(I32(24), dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	Label("over")
	end()
}

// transpose turns blocks of size rows by size columns, until cols are done.
func transpose(size int, load func(row reg.GPVirtual, i int), turn func(), store func(to reg.GPVirtual, i int),
	mask func(cols reg.GPVirtual)) {
	dst, ldd, src, lds := base("dst"), stride("ldd"), base("src"), stride("lds")
	rows, cols := integer("rows"), integer("cols")
	from, to, left := GP64(), GP64(), GP64()
	Label("block")
	mask(cols)
	MOVQ(src, from)
	MOVQ(rows, left)
	for i := range size {
		load(from, i)
		DECQ(left)
		JZ(LabelRef("turn"))
		ADDQ(lds, from)
	}
	Label("turn")
	turn()
	MOVQ(dst, to)
	MOVQ(cols, left)
	for i := range size {
		store(to, i)
		ADDQ(ldd, to)
		DECQ(left)
		JZ(LabelRef("next"))
	}
	Label("next")
	MOVQ(to, dst)
	ADDQ(I32(4*size), src)
	SUBQ(I32(size), cols)
	JG(LabelRef("block"))
	end()
}

// columnBits is the mask of a block's columns: size bits, or as many as are left.
func columnBits(cols reg.GPVirtual, size int) reg.GPVirtual {
	n, limit := GP64(), GP64()
	MOVQ(I32(size), limit)
	MOVQ(cols, n)
	CMPQ(n, limit)
	CMOVQGT(limit, n)
	return n
}

func transposeAVX512() {
	begin("transposeAVX512", "func(dst []float32, ldd int, src []float32, lds, rows, cols int)",
		"sets dst[j*ldd+i] = src[i*lds+j] for i < rows <= 16, j < cols; it writes 16 lanes i.")
	transpose(16,
		func(from reg.GPVirtual, i int) { VMOVUPS_Z(Mem{Base: from}, reg.K1, zs[i]) },
		turn16,
		func(to reg.GPVirtual, i int) { VMOVUPS(zs[i], Mem{Base: to}) },
		func(cols reg.GPVirtual) { KMOVW(firstBits(columnBits(cols, 16)).As32(), reg.K1) })
}

// turn16 transposes the 16 rows in zs[0..15] by way of zs[16..31]: pairs, pairs of pairs, then 128-bit lanes twice.
func turn16() {
	for i := 0; i < 16; i += 2 {
		VUNPCKLPS(zs[i+1], zs[i], zs[16+i])
		VUNPCKHPS(zs[i+1], zs[i], zs[17+i])
	}
	for i := 0; i < 16; i += 4 {
		for h := range 2 {
			VUNPCKLPD(zs[18+i+h], zs[16+i+h], zs[i+2*h])
			VUNPCKHPD(zs[18+i+h], zs[16+i+h], zs[i+2*h+1])
		}
	}
	for c := range 4 { // zs[4g+c] has, in 128-bit lane L, column 4L+c of rows 4g to 4g+3
		for g := 0; g < 16; g += 8 {
			VSHUFF32X4(U8(0x88), zs[g+4+c], zs[g+c], zs[16+g+c])
			VSHUFF32X4(U8(0xdd), zs[g+4+c], zs[g+c], zs[20+g+c])
		}
	}
	for c := range 4 {
		for odd := 0; odd < 8; odd += 4 {
			VSHUFF32X4(U8(0x88), zs[24+odd+c], zs[16+odd+c], zs[odd+c])
			VSHUFF32X4(U8(0xdd), zs[24+odd+c], zs[16+odd+c], zs[8+odd+c])
		}
	}
}

func transposeAVX2() {
	begin("transposeAVX2", "func(dst []float32, ldd int, src []float32, lds, rows, cols int)",
		"sets dst[j*ldd+i] = src[i*lds+j] for i < rows <= 8, j < cols; it writes 8 lanes i.")
	transpose(8,
		func(from reg.GPVirtual, i int) { VMASKMOVPS(Mem{Base: from}, ys[15], ys[i]) },
		turn8,
		func(to reg.GPVirtual, i int) { VMOVUPS(ys[i], Mem{Base: to}) },
		func(cols reg.GPVirtual) { loadMask(columnBits(cols, 8), ys[15]) })
}

// turn8 transposes the 8 rows in ys[0..7] by way of ys[8..15].
func turn8() {
	for i := 0; i < 8; i += 2 {
		VUNPCKLPS(ys[i+1], ys[i], ys[8+i])
		VUNPCKHPS(ys[i+1], ys[i], ys[9+i])
	}
	for i := 0; i < 8; i += 4 {
		for h := range 2 {
			VUNPCKLPD(ys[10+i+h], ys[8+i+h], ys[i+2*h])
			VUNPCKHPD(ys[10+i+h], ys[8+i+h], ys[i+2*h+1])
		}
	}
	for c := range 4 {
		VPERM2F128(U8(0x20), ys[4+c], ys[c], ys[8+c])
		VPERM2F128(U8(0x31), ys[4+c], ys[c], ys[12+c])
	}
	for c := range 8 {
		VMOVAPS(ys[8+c], ys[c])
	}
}
