package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// fewRows is how many rows of C a kernel of few rows has at most; fewWidth how many columns it computes.
const (
	fewRows  = 4
	fewWidth = 16
)

// few is the generator of a kernel for few rows of C. Its lanes are columns of C, which are rows of B, turned within
// the registers, so that each element is one chain in order of k as in every tile. What lies at next is asked for in
// the order of memory, which is how the processor reads it fastest, and as much of it as the kernel reads of B.
type few struct {
	isa
	regs []reg.VecPhysical
	b    [4]reg.GPVirtual // rows 0, 4, 8 and 12 of B
	step [4]Mem           // index and scale of the way to the three rows after each of them
	x    [fewRows]Mem     // rows of A
	next reg.GPVirtual
}

func fewKernel(s isa) {
	begin("few"+s.name, "func(k int, b []float32, ldb int, a []float32, lda int, c []float32, ldc, m int, "+
		"alpha float32, add bool, next []float32)", "is the product of up to 4 rows of A with 16 rows of B.")
	f := few{isa: s, regs: ys, next: base("next")}
	if s.wide() {
		f.regs = zs
	}
	f.operands()
	k, m := integer("k"), integer("m")
	for rows := 1; rows < fewRows; rows++ {
		CMPQ(m, I32(rows))
		JE(LabelRef(fmt.Sprintf("rows%d", rows)))
	}
	for rows := fewRows; rows > 0; rows-- {
		Label(fmt.Sprintf("rows%d", rows))
		f.sum(rows, k)
		f.store(rows)
	}
}

// operands loads the addresses of rows of B and A.
func (f *few) operands() {
	ldb, lda := stride("ldb"), stride("lda")
	f.b[0] = base("b")
	for i := 1; i < len(f.b); i++ {
		f.b[i] = GP64()
		LEAQ(Mem{Base: f.b[i-1], Index: ldb, Scale: 4}, f.b[i])
	}
	f.step = ways(ldb)
	a := base("a")
	for i, way := range ways(lda) {
		way.Base = a
		f.x[i] = way
	}
}

// ways are the memory operands, but for the base, of four rows that are step bytes apart.
func ways(step reg.GPVirtual) [4]Mem {
	step3 := GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	return [4]Mem{{}, {Index: step, Scale: 1}, {Index: step, Scale: 2}, {Index: step3, Scale: 1}}
}

// acc is the sum of vector v of row i of C.
func (f *few) acc(i, v int) reg.VecPhysical { return f.regs[i*f.vectors()+v] }

func (f *few) vectors() int { return fewWidth / f.lanes }

// sum goes through k, four columns of B at a time.
func (f *few) sum(rows int, k reg.GPVirtual) {
	for i := range rows * f.vectors() {
		clearRegister(f.regs[i], f.lanes)
	}
	for _, unroll := range []int{4, 1} {
		label := fmt.Sprintf("rows%dby%d", rows, unroll)
		JMP(LabelRef(label + "Test"))
		Label(label)
		for u := range unroll {
			f.four(rows, u)
		}
		f.advance(16 * unroll)
		SUBQ(I32(4*unroll), k)
		Label(label + "Test")
		CMPQ(k, I32(4*unroll))
		JGE(LabelRef(label))
	}
}

func (f *few) advance(bytes int) {
	for _, p := range f.b {
		ADDQ(I32(bytes), p)
	}
	ADDQ(I32(bytes), f.x[0].Base)
	ADDQ(I32(bytes*fewWidth), f.next)
}

// four adds the products of four columns of B. Every other time the rows come in reverse: where their distance is a
// multiple of 4 KB, the first-level cache has not room for a line of each of them.
func (f *few) four(rows, u int) {
	for line := range 4 {
		PREFETCHT1(Mem{Base: f.next, Disp: 64 * (4*u + line)})
	}
	for v := range f.vectors() {
		in, out := f.regs[8:12], f.regs[12:16]
		for i := range 4 {
			if u%2 == 1 {
				i = 3 - i
			}
			f.gather(in[i], v, i, u)
		}
		turn4(in, out)
		for j := range 4 {
			f.multiply(rows, v, in[j], out[0], 16*u+4*j)
		}
	}
}

// gather loads four columns of the rows i, i+4, ... of vector v.
func (f *few) gather(to reg.VecPhysical, v, i, u int) {
	quads := f.lanes / 4
	for lane, b := range f.b[v*quads : (v+1)*quads] {
		m := f.step[i]
		m.Base, m.Disp = b, 16*u
		switch {
		case lane == 0:
			VMOVUPS(m, to.AsX())
		case f.wide():
			VINSERTF32X4(U8(lane), m, to, to)
		default:
			VINSERTF128(U8(lane), m, to, to)
		}
	}
}

// turn4 transposes four by four elements in each part of 128 bits, by way of t.
func turn4(x, t []reg.VecPhysical) {
	for i := 0; i < 4; i += 2 {
		VUNPCKLPS(x[i+1], x[i], t[i])
		VUNPCKHPS(x[i+1], x[i], t[i+1])
	}
	for i := range 2 {
		VUNPCKLPD(t[i+2], t[i], x[2*i])
		VUNPCKHPD(t[i+2], t[i], x[2*i+1])
	}
}

// multiply adds the product of a column of B, in lanes, with that of A.
func (f *few) multiply(rows, v int, b, x reg.VecPhysical, disp int) {
	for i := range rows {
		m := f.x[i]
		m.Disp = disp
		if f.wide() {
			VFMADD231PS_BCST(m, b, f.acc(i, v))
			continue
		}
		VBROADCASTSS(m, x)
		VFMADD231PS(x, b, f.acc(i, v))
	}
}

func (f *few) store(rows int) {
	c, ldc, alpha, add := base("c"), stride("ldc"), f.regs[15], GP64()
	broadcast("alpha", alpha)
	flag := Load(Param("add"), GP8())
	MOVBQZX(flag, add)
	done := fmt.Sprintf("set%d", rows)
	TESTQ(add, add)
	JZ(LabelRef(done))
	f.storeRows(rows, c, ldc, func(m Mem, r reg.VecPhysical) { VFMADD213PS(m, alpha, r) })
	end()
	Label(done)
	f.storeRows(rows, c, ldc, func(_ Mem, r reg.VecPhysical) { VMULPS(alpha, r, r) })
	end()
}

func (f *few) storeRows(rows int, c, ldc reg.GPVirtual, weigh func(m Mem, r reg.VecPhysical)) {
	for i := range rows {
		for v := range f.vectors() {
			m := Mem{Base: c, Disp: v * f.bytes()}
			weigh(m, f.acc(i, v))
			VMOVUPS(f.acc(i, v), m)
		}
		if i+1 < rows {
			ADDQ(ldc, c)
		}
	}
}
