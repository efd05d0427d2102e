package main

import (
	"fmt"
	"math/bits"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// zs and ys are the vector registers by number.
var (
	zs = registers(reg.S512, 32)
	ys = registers(reg.S256, 16)
)

func registers(width reg.Spec, n int) []reg.VecPhysical {
	var all []reg.VecPhysical
	for i := range n {
		all = append(all, reg.LookupPhysical(reg.KindVector, reg.Index(i), width).(reg.VecPhysical))
	}
	return all
}

// thinWidth is how many columns a tile of a thin product has at most.
const thinWidth = 16

const tileSignature = "func(k int, a []float32, rowStep, colStep int, b, c []float32, " +
	"ldc, m, n int, alpha float32, add bool)"

// A tile is the generator of one product kernel. Its columns are up to vectors registers; for fewer there is a loop
// of its own, so that a narrow tile costs what it computes.
type tile struct {
	regs    []reg.VecPhysical
	lanes   int
	vectors int
	rows    int
	pitch   int               // columns of a panel
	unroll  int               // a power of two
	b       []reg.VecPhysical // a row of B
	a       []reg.VecPhysical // broadcasts from A, in turn; none: operands in memory are broadcast
	ahead   bool              // ask for the rows of A that follow this tile's
	// multiply adds the product of x and y to sum, lane by lane.
	multiply func(x, y, sum reg.VecPhysical)
}

func fusedMultiply(x, y, sum reg.VecPhysical) { VFMADD231PS(x, y, sum) }

func (t tile) acc(i, v int) reg.VecPhysical { return t.regs[i*t.vectors+v] }

func tileAVX512() {
	begin("tileAVX512", tileSignature, "is the 6x64 tile of a product.")
	t := tile{regs: zs, lanes: 16, vectors: 4, rows: 6, pitch: 64, unroll: 4, b: zs[24:28], a: zs[28:32],
		multiply: fusedMultiply}
	t.generate(tile.storeMasked)
}

func tileAVX2() {
	begin("tileAVX2", tileSignature, "is the 6x16 tile of a product.")
	t := tile{regs: ys, lanes: 8, vectors: 2, rows: 6, pitch: 16, unroll: 4, b: ys[12:14], a: ys[14:16],
		multiply: fusedMultiply}
	t.generate(tile.storeBlended)
}

// narrowAVX512 reads A from memory, which is what limits it: eight rows keep enough sums apart to hide the latency of
// half vectors, of which the processor does two at a time, and are asked for one tile ahead.
func narrowAVX512() {
	begin("narrowAVX512", tileSignature, "is the 8x16 tile of a product whose A comes from memory; colStep is 1.")
	t := tile{regs: zs, lanes: 16, vectors: 1, rows: 8, pitch: thinWidth, unroll: 16, b: zs[24:25], ahead: true}
	half := t
	half.regs, half.lanes, half.b = ys, 8, ys[15:16]
	rows, n := t.rowPointers(), integer("n")
	colStep, b, k, at := stride("colStep"), base("b"), integer("k"), GP64()
	XORQ(at, at)
	CMPQ(n, I32(half.lanes))
	JLE(LabelRef("half"))
	t.sum(1, rows, colStep, b, k, at)
	t.storeMasked(1)
	Label("half")
	half.sum(1, rows, colStep, b, k, at)
	half.storeMasked(1)
}

func (t tile) generate(store func(t tile, vectors int)) {
	rows, n := t.rowPointers(), integer("n")
	colStep, b, k, at := stride("colStep"), base("b"), integer("k"), GP64()
	XORQ(at, at)
	for v := 1; v < t.vectors; v++ {
		CMPQ(n, I32(v*t.lanes))
		JLE(LabelRef(fmt.Sprintf("columns%d", v)))
	}
	for v := t.vectors; v >= 1; v-- {
		Label(fmt.Sprintf("columns%d", v))
		t.sum(v, rows, colStep, b, k, at)
		store(t, v)
	}
}

// rowPointers are the addresses of the rows of A. Rows beyond m repeat the last one, which is computed and not
// stored.
func (t tile) rowPointers() []reg.GPVirtual {
	a, rowStep, m := base("a"), stride("rowStep"), integer("m")
	rows := []reg.GPVirtual{a}
	for i := 1; i < t.rows; i++ {
		r := GP64()
		XORQ(r, r)
		CMPQ(m, I32(i))
		CMOVQGT(rowStep, r)
		ADDQ(rows[i-1], r)
		rows = append(rows, r)
	}
	return rows
}

// sum accumulates over k; each element is one chain of fused operations in order of k.
func (t tile) sum(vectors int, rows []reg.GPVirtual, colStep, b, k, at reg.GPVirtual) {
	label := t.labels(vectors)
	for i := range t.rows {
		for v := range vectors {
			clearRegister(t.acc(i, v), t.lanes)
		}
	}
	t.prefetch(vectors)
	next := t.nextRows()
	blocks := GP64()
	MOVQ(k, blocks)
	SHRQ(U8(bits.TrailingZeros(uint(t.unroll))), blocks)
	JZ(LabelRef(label("rest")))
	Label(label("block"))
	for u := range t.unroll {
		if t.ahead && u%(t.unroll/t.rows) == 0 {
			PREFETCHT2(Mem{Base: rows[u*t.rows/t.unroll], Index: next, Scale: 1})
		}
		t.step(vectors, rows, b, at, u)
		ADDQ(colStep, at)
	}
	if t.ahead {
		ADDQ(I32(4*t.unroll), next)
	}
	ADDQ(I32(4*t.unroll*t.pitch), b)
	DECQ(blocks)
	JNZ(LabelRef(label("block")))
	Label(label("rest"))
	ANDQ(I32(t.unroll-1), k)
	JZ(LabelRef(label("store")))
	Label(label("single"))
	t.step(vectors, rows, b, at, 0)
	ADDQ(colStep, at)
	ADDQ(I32(4*t.pitch), b)
	DECQ(k)
	JNZ(LabelRef(label("single")))
	Label(label("store"))
}

// labels are those of one loop.
func (t tile) labels(vectors int) func(string) string {
	return func(s string) string { return fmt.Sprintf("%s%d", s, vectors*t.lanes) }
}

// nextRows is the distance to the rows that follow the tile's.
func (t tile) nextRows() reg.GPVirtual {
	if !t.ahead {
		return nil
	}
	next := stride("rowStep")
	SHLQ(U8(bits.TrailingZeros(uint(t.rows))), next)
	return next
}

func clearRegister(r reg.VecPhysical, lanes int) {
	if lanes == 16 {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// step adds the product of column k of A and row k of B.
func (t tile) step(vectors int, rows []reg.GPVirtual, b, at reg.GPVirtual, u int) {
	for v := range vectors {
		VMOVUPS(Mem{Base: b, Disp: 4 * (u*t.pitch + v*t.lanes)}, t.b[v])
	}
	for i := range t.rows {
		m := Mem{Base: rows[i], Index: at, Scale: 1}
		if len(t.a) == 0 {
			VFMADD231PS_BCST(m, t.b[0], t.acc(i, 0))
			continue
		}
		x := t.a[i%len(t.a)]
		VBROADCASTSS(m, x)
		for v := range vectors {
			t.multiply(x, t.b[v], t.acc(i, v))
		}
	}
}

// prefetch asks for the rows of C, which are wanted when the sum is done.
func (t tile) prefetch(vectors int) {
	c, ldc := base("c"), stride("ldc")
	for i := range t.rows {
		for line := 0; line < 4*t.lanes*vectors; line += 64 {
			PREFETCHT0(Mem{Base: c, Disp: line})
		}
		if i+1 < t.rows {
			ADDQ(ldc, c)
		}
	}
}

// output is what the stores need; the registers of A and B are free by then.
type output struct {
	c, ldc, m, add reg.GPVirtual
	alpha          reg.VecPhysical
	height         int
	label          func(string) string
}

func (t tile) output(vectors int) output {
	o := output{c: base("c"), ldc: stride("ldc"), m: integer("m"), add: GP64(), alpha: t.b[0], height: t.rows}
	o.label = t.labels(vectors)
	flag := Load(Param("add"), GP8())
	MOVBQZX(flag, o.add)
	broadcast("alpha", o.alpha)
	return o
}

// rows stores row after row until m are done.
func (o output) rows(store func(i int)) {
	for i := range o.height {
		store(i)
		if i+1 < o.height {
			DECQ(o.m)
			JZ(LabelRef(o.label("done")))
			ADDQ(o.ldc, o.c)
		}
	}
}

// lastColumns is how many columns the last of the vectors has.
func (t tile) lastColumns(vectors int) reg.GPVirtual {
	n := integer("n")
	SUBQ(I32((vectors-1)*t.lanes), n)
	return n
}

func (t tile) storeMasked(vectors int) {
	o := t.output(vectors)
	KMOVW(firstBits(t.lastColumns(vectors)).As32(), reg.K1)
	each := func(i int, f func(m Mem, r reg.VecPhysical, last bool)) {
		for v := range vectors {
			f(Mem{Base: o.c, Disp: 64 * v}, t.acc(i, v), v == vectors-1)
		}
	}
	write := func(m Mem, r reg.VecPhysical, last bool) {
		if last {
			VMOVUPS(r, reg.K1, m)
		} else {
			VMOVUPS(r, m)
		}
	}
	TESTQ(o.add, o.add)
	JZ(LabelRef(o.label("overwrite")))
	o.rows(func(i int) {
		each(i, func(m Mem, r reg.VecPhysical, last bool) {
			if last {
				VFMADD213PS(m, o.alpha, reg.K1, r)
			} else {
				VFMADD213PS(m, o.alpha, r)
			}
			write(m, r, last)
		})
	})
	JMP(LabelRef(o.label("done")))
	Label(o.label("overwrite"))
	o.rows(func(i int) {
		each(i, func(m Mem, r reg.VecPhysical, last bool) {
			VMULPS(o.alpha, r, r)
			write(m, r, last)
		})
	})
	Label(o.label("done"))
	end()
}

// storeBlended: masked stores are slow on some processors, so whole vectors have their own path.
func (t tile) storeBlended(vectors int) {
	o := t.output(vectors)
	mask, old := t.a[0], t.a[1]
	last := t.lastColumns(vectors)
	loadMask(last, mask)
	paths := []struct {
		label     string
		add, part bool
	}{{"addWhole", true, false}, {"addPart", true, true}, {"setWhole", false, false}, {"setPart", false, true}}
	TESTQ(o.add, o.add)
	JZ(LabelRef(o.label("set")))
	CMPQ(last, I32(t.lanes))
	JLT(LabelRef(o.label("addPart")))
	JMP(LabelRef(o.label("addWhole")))
	Label(o.label("set"))
	CMPQ(last, I32(t.lanes))
	JLT(LabelRef(o.label("setPart")))
	JMP(LabelRef(o.label("setWhole")))
	for _, p := range paths {
		Label(o.label(p.label))
		o.rows(func(i int) {
			for v := range vectors {
				m, r := Mem{Base: o.c, Disp: 32 * v}, t.acc(i, v)
				blend(m, r, o.alpha, mask, old, p.add, p.part && v == vectors-1)
			}
		})
		JMP(LabelRef(o.label("done")))
	}
	Label(o.label("done"))
	end()
}

func blend(m Mem, r, alpha, mask, old reg.VecPhysical, add, part bool) {
	switch {
	case add && part:
		VMASKMOVPS(m, mask, old)
		VFMADD213PS(old, alpha, r)
	case add:
		VFMADD213PS(m, alpha, r)
	default:
		VMULPS(alpha, r, r)
	}
	if part {
		VMASKMOVPS(r, mask, m)
	} else {
		VMOVUPS(r, m)
	}
}
