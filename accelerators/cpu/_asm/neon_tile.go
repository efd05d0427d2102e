package main

import "fmt"

const (
	neonRows    = 6
	neonVectors = 4 // of a row of B
	neonUnroll  = 4
)

// A neonTile is the product kernel while it is written. Like the tile for amd64 it has a loop for each number of
// vectors, so that a narrow tile costs what it computes.
type neonTile struct {
	*neonFunction
	rows          []xreg // of A
	colStep, b, k xreg
	c, ldc, m, n  xreg
	offset        xreg // within the rows of A; then of a lane in C
	count         xreg // of blocks; then of the last vector's lanes
	vectors       int
}

// The registers: sums from 0 on, then a row of B, then elements of A in turn, which the stores use afterwards.
const (
	neonB = vreg(neonRows * neonVectors)
	neonA = neonB + neonVectors
)

func (t neonTile) sum(i, v int) vreg { return vreg(i*t.vectors + v) }

func (t neonTile) name(label string) string { return fmt.Sprintf("%s%d", label, t.vectors) }

func (f *neonFunctions) tile() {
	p := f.begin("tileNEON", tileSignature, "is the 6x16 tile of a product.")
	t := neonTile{neonFunction: p, m: p.integer("m"), n: p.integer("n"), offset: p.x(), count: p.x()}
	t.rows = p.rowPointers(neonRows, p.integer("a_base"), p.stride("rowStep"), t.m)
	t.colStep, t.b, t.k = p.stride("colStep"), p.integer("b_base"), p.integer("k")
	t.c, t.ldc = p.integer("c_base"), p.stride("ldc")
	p.emit("MOVD ZR, %v", t.offset)
	for v := 1; v < neonVectors; v++ {
		p.emit("CMP $%d, %v", 4*v, t.n)
		p.emit("BLE columns%d", v)
	}
	for t.vectors = neonVectors; t.vectors >= 1; t.vectors-- {
		p.label(t.name("columns"))
		t.accumulate()
		t.store()
	}
	p.label("done")
	f.end(p)
}

// rowPointers are the addresses of a number of rows. Those beyond the count that exists repeat the last one.
func (p *neonFunction) rowPointers(number int, first, step, count xreg) []xreg {
	rows := []xreg{first}
	for i := 1; i < number; i++ {
		r := p.x()
		p.emit("CMP $%d, %v", i, count)
		p.emit("CSEL GT, %v, ZR, %v", step, r)
		p.emit("ADD %v, %v", rows[i-1], r)
		rows = append(rows, r)
	}
	return rows
}

// accumulate sums over k; each element is one chain of fused operations in order of k.
func (t neonTile) accumulate() {
	for i := range neonRows * t.vectors {
		t.zero(vreg(i))
	}
	t.emit("LSR $2, %v, %v", t.k, t.count)
	t.emit("CBZ %v, %s", t.count, t.name("rest"))
	t.label(t.name("block"))
	for u := range neonUnroll {
		t.step(u)
	}
	t.emit("ADD $%d, %v", 16*neonVectors*neonUnroll, t.b)
	t.emit("SUBS $1, %v", t.count)
	t.emit("BNE %s", t.name("block"))
	t.label(t.name("rest"))
	t.emit("ANDS $%d, %v", neonUnroll-1, t.k)
	t.emit("BEQ %s", t.name("store"))
	t.label(t.name("single"))
	t.step(0)
	t.emit("ADD $%d, %v", 16*neonVectors, t.b)
	t.emit("SUBS $1, %v", t.k)
	t.emit("BNE %s", t.name("single"))
	t.label(t.name("store"))
}

// step adds the product of a column of A and a row of B.
func (t neonTile) step(u int) {
	for v := range t.vectors {
		t.emit("FMOVQ %d(%v), F%d", 16*(u*neonVectors+v), t.b, int(neonB)+v)
	}
	for i, row := range t.rows {
		a := neonA + vreg(i%(32-int(neonA)))
		t.emit("FMOVS (%v)(%v), F%d", row, t.offset, int(a))
		for v := range t.vectors {
			t.doElement(fmlaElement, t.sum(i, v), neonB+vreg(v), element{a, 0})
		}
	}
	t.emit("ADD %v, %v", t.colStep, t.offset)
}

// store has a path for whole vectors and one for a last vector of which only some lanes are C's, each with and without
// adding.
func (t neonTile) store() {
	last, add := t.count, t.k
	t.emit("FMOVS %s, F%d", t.at("alpha"), int(neonA))
	t.emit("MOVBU %s, %v", t.at("add"), add)
	t.emit("SUB $%d, %v, %v", 4*(t.vectors-1), t.n, last)
	t.emit("CMP $4, %v", last)
	t.emit("BLT %s", t.name("part"))
	t.emit("CBZ %v, %s", add, t.name("set"))
	t.storeRows(true, false)
	t.label(t.name("set"))
	t.storeRows(false, false)
	t.label(t.name("part"))
	t.emit("CBZ %v, %s", add, t.name("setPart"))
	t.storeRows(true, true)
	t.label(t.name("setPart"))
	t.storeRows(false, true)
}

// storeRows stores row after row until m are done.
func (t neonTile) storeRows(add, part bool) {
	for i := range neonRows {
		for v := range t.vectors {
			t.storeVector(i, v, add, part && v == t.vectors-1)
		}
		if i+1 < neonRows {
			t.emit("SUBS $1, %v", t.m)
			t.emit("BEQ done")
			t.emit("ADD %v, %v", t.ldc, t.c)
		}
	}
	t.emit("B done")
}

func (t neonTile) storeVector(i, v int, add, part bool) {
	alpha := element{neonA, 0}
	if !add {
		t.doElement(fmulElement, neonB, t.sum(i, v), alpha)
		t.put(i, v, part, "set")
		return
	}
	t.get(i, v, part)
	t.doElement(fmlaElement, neonB, t.sum(i, v), alpha)
	t.put(i, v, part, "added")
}

// get loads a vector of C to neonB.
func (t neonTile) get(i, v int, part bool) {
	if !part {
		t.emit("FMOVQ %d(%v), F%d", 16*v, t.c, int(neonB))
		return
	}
	t.lanesOf(v, fmt.Sprintf("loaded%dx%d", t.vectors, i), func(e element) { t.emit("VLD1.P 4(%v), %v", t.offset, e) })
}

// put stores neonB to C; step is a name for what was done.
func (t neonTile) put(i, v int, part bool, step string) {
	if !part {
		t.emit("FMOVQ F%d, %d(%v)", int(neonB), 16*v, t.c)
		return
	}
	t.lanesOf(v, fmt.Sprintf("%s%dx%d", step, t.vectors, i), func(e element) { t.emit("VST1.P %v, 4(%v)", e, t.offset) })
}

// lanesOf goes through the lanes that the last vector has, one to three: there are no masks.
func (t neonTile) lanesOf(v int, done string, touch func(element)) {
	last := t.count
	t.emit("ADD $%d, %v, %v", 16*v, t.c, t.offset)
	for lane := range 3 {
		touch(element{neonB, lane})
		if lane < 2 {
			t.emit("CMP $%d, %v", lane+1, last)
			t.emit("BEQ %s", done)
		}
	}
	t.label(done)
}
