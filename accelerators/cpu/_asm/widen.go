package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// widenKernels turn numbers of sixteen bits into float32. Memory bounds them, so one width serves all processors.
func widenKernels() {
	widenKernel("widenBF16AVX2", "bfloat16", func(from Mem, to reg.VecVirtual) {
		VPMOVZXWD(from, to)
		VPSLLD(Imm(16), to, to)
	})
	widenKernel("widenF16AVX2", "IEEE 754 half precision", func(from Mem, to reg.VecVirtual) {
		VCVTPH2PS(from, to)
	})
}

// widenKernel works on four vectors at a time.
func widenKernel(name, kind string, widen func(from Mem, to reg.VecVirtual)) {
	const lanes, vectors = 8, 4
	begin(name, "func(dst []float32, src []uint16)",
		"widens src from "+kind+", as many as there are of dst, whose length 32 divides.")
	p, n := slices("dst", "src")
	dst, src := p[0], p[1]
	Label("loop")
	CMPQ(n, Imm(lanes*vectors))
	JLT(LabelRef("done"))
	for i := range vectors {
		v := YMM()
		widen(Mem{Base: src, Disp: 2 * lanes * i}, v)
		VMOVUPS(v, Mem{Base: dst, Disp: 4 * lanes * i})
	}
	ADDQ(I32(4*lanes*vectors), dst)
	ADDQ(Imm(2*lanes*vectors), src)
	SUBQ(Imm(lanes*vectors), n)
	JMP(LabelRef("loop"))
	Label("done")
	end()
}
