package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func attentionKernels(s isa) {
	softmaxTileKernel(s)
	softmaxGradTileKernel(s)
	mixRowsKernel(s)
}

// tileRows is the height of a product's tile, whose scores become weights together.
const tileRows = 6

// together is how many rows of a tile go side by side: their chains of operations hide each other's latencies, and
// their constants fit the registers.
func (s isa) together() int {
	if s.wide() {
		return tileRows
	}
	return tileRows / 2
}

// columns runs body over n columns of rows that at is the offset in; it leaves at and n as they are not needed again.
func (s isa) columns(label string, n, at reg.GPVirtual, body func(l lane)) {
	XORQ(at, at)
	JMP(LabelRef(label + "Test"))
	Label(label)
	body(lane{isa: s})
	ADDQ(I32(s.bytes()), at)
	SUBQ(I32(s.lanes), n)
	Label(label + "Test")
	CMPQ(n, I32(s.lanes))
	JGE(LabelRef(label))
	TESTQ(n, n)
	JZ(LabelRef(label + "Over"))
	body(s.tail(n))
	Label(label + "Over")
}

// rowsFrom are the addresses of count rows, and moves x behind them.
func rowsFrom(x, stride reg.GPVirtual, count int) []reg.GPVirtual {
	var rows []reg.GPVirtual
	for range count {
		r := GP64()
		MOVQ(x, r)
		ADDQ(stride, x)
		rows = append(rows, r)
	}
	return rows
}

func softmaxTileKernel(s isa) {
	begin("softmaxTile"+s.name, "func(x []float32, stride, n int, tops, sums []float32)",
		"is the softmax of six rows without the division.")
	x, step := base("x"), stride("stride")
	for from := 0; from < tileRows; from += s.together() {
		s.softmaxRows(rowsFrom(x, step, s.together()), from)
	}
	end()
}

func (s isa) softmaxRows(rows []reg.GPVirtual, from int) {
	at := GP64()
	v := make([]reg.VecVirtual, len(rows))
	for i := range rows {
		v[i] = s.load(math.Inf(-1))
	}
	s.columns(fmt.Sprintf("max%d", from), integer("n"), at, func(l lane) {
		for i, r := range rows {
			l.max(l.read(Mem{Base: r, Index: at, Scale: 1}), v[i])
		}
	})
	tops, sums := base("tops"), base("sums")
	for i := range rows {
		x, m := s.fold(v[i], VMAXPS).AsX(), Mem{Base: tops, Disp: 4 * (from + i)}
		VMAXSS(m, x, x)
		VMOVSS(x, m)
		VMAXSS(s.constant(-math.MaxFloat32), x, x) // minus infinity less itself would be NaN
		VBROADCASTSS(x, v[i])
	}
	sum := make([]reg.VecVirtual, len(rows))
	for i := range rows {
		sum[i] = s.zero()
	}
	s.columns(fmt.Sprintf("exp%d", from), integer("n"), at, func(l lane) {
		for i, r := range rows {
			m := Mem{Base: r, Index: at, Scale: 1}
			x := l.read(m)
			VSUBPS(v[i], x, x)
			e := s.exp(x)
			l.write(e, m)
			l.add(e, sum[i])
		}
	})
	for i := range rows {
		VMOVSS(s.fold(sum[i], VADDPS).AsX(), Mem{Base: sums, Disp: 4 * (from + i)})
	}
}

func softmaxGradTileKernel(s isa) {
	begin("softmaxGradTile"+s.name, "func(p, d []float32, stride, n int, lse, means []float32, scale float32)",
		"recomputes six rows of a softmax from its scores and turns their gradients into those of the scores.")
	p, toD, step := base("p"), base("d"), stride("stride")
	SUBQ(p, toD)
	for from := 0; from < tileRows; from += s.together() {
		s.softmaxGradRows(rowsFrom(p, step, s.together()), toD, from)
	}
	end()
}

// softmaxGradRows: toD is the way from a row of p to that of d.
func (s isa) softmaxGradRows(rows []reg.GPVirtual, toD reg.GPVirtual, from int) {
	at, atD := GP64(), GP64()
	lses, means := make([]reg.VecVirtual, len(rows)), make([]reg.VecVirtual, len(rows))
	lse, mean, scale := base("lse"), base("means"), s.scalar("scale")
	for i := range rows {
		lses[i], means[i] = s.vec(), s.vec()
		VBROADCASTSS(Mem{Base: lse, Disp: 4 * (from + i)}, lses[i])
		VBROADCASTSS(Mem{Base: mean, Disp: 4 * (from + i)}, means[i])
	}
	s.columns(fmt.Sprintf("grad%d", from), integer("n"), at, func(l lane) {
		LEAQ(Mem{Base: at, Index: toD, Scale: 1}, atD)
		for i, r := range rows {
			m := Mem{Base: r, Index: at, Scale: 1}
			x := l.read(m)
			VSUBPS(lses[i], x, x)
			e := s.exp(x)
			l.write(e, m)
			m.Index = atD
			d := l.read(m)
			VSUBPS(means[i], d, d)
			VMULPS(scale, e, e)
			VMULPS(e, d, d)
			l.write(d, m)
		}
	})
}

// mixRowsKernel takes the columns in groups that stay in registers while the rows go by.
func mixRowsKernel(s isa) {
	begin("mixRows"+s.name, "func(out, w, rows []float32, stride int)", "sets out to the sum of w[j] times row j.")
	p, n := slices("out")
	out, row, step := p[0], base("rows"), stride("stride")
	for _, unroll := range []int{unrolled, 1} {
		label := fmt.Sprintf("columns%d", unroll)
		JMP(LabelRef(label + "Test"))
		Label(label)
		s.mix(label, out, row, step, unroll, lane{isa: s})
		ADDQ(I32(unroll*s.bytes()), out)
		ADDQ(I32(unroll*s.bytes()), row)
		SUBQ(I32(unroll*s.lanes), n)
		Label(label + "Test")
		CMPQ(n, I32(unroll*s.lanes))
		JGE(LabelRef(label))
	}
	TESTQ(n, n)
	JZ(LabelRef("over"))
	s.mix("tail", out, row, step, 1, s.tail(n))
	Label("over")
	end()
}

// mix does unroll vectors of columns, or the tail.
func (s isa) mix(label string, out, row, step reg.GPVirtual, unroll int, l lane) {
	var sums []reg.VecVirtual
	for range unroll {
		sums = append(sums, s.zero())
	}
	w, count, at := base("w"), Load(Param("w").Len(), GP64()).(reg.GPVirtual), GP64()
	MOVQ(row, at)
	JMP(LabelRef(label + "RowTest"))
	Label(label + "Row")
	weight := s.vec()
	VBROADCASTSS(Mem{Base: w}, weight)
	for i, v := range sums {
		VFMADD231PS(l.read(Mem{Base: at, Disp: i * s.bytes()}), weight, v)
	}
	ADDQ(I32(4), w)
	ADDQ(step, at)
	DECQ(count)
	Label(label + "RowTest")
	TESTQ(count, count)
	JNZ(LabelRef(label + "Row"))
	for i, v := range sums {
		l.write(v, Mem{Base: out, Disp: i * s.bytes()})
	}
}
