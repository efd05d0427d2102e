package main

// strips copies 48 columns into 8 strips of 6.
func (f *neonFunctions) strips() {
	p := f.begin("stripsNEON", "func(dst []float32, step int, src []float32, lds, rows int)",
		"copies 48 columns into 8 strips of 6, step elements apart.")
	to := []xreg{p.integer("dst_base")}
	step := p.stride("step")
	for range 7 {
		next := p.x()
		p.emit("ADD %v, %v, %v", step, to[len(to)-1], next)
		to = append(to, next)
	}
	src, lds, rows, from := p.integer("src_base"), p.stride("lds"), p.integer("rows"), p.x()
	four, two := p.v(), p.v()
	p.emit("CBZ %v, over", rows)
	p.label("row")
	p.emit("MOVD %v, %v", src, from)
	for _, t := range to {
		p.emit("VLD1.P 16(%v), [%v.S4]", from, four)
		p.emit("VLD1.P 8(%v), [%v.S2]", from, two)
		p.emit("VST1.P [%v.S4], 16(%v)", four, t)
		p.emit("VST1.P [%v.S2], 8(%v)", two, t)
	}
	p.emit("ADD %v, %v", lds, src)
	p.emit("SUBS $1, %v", rows)
	p.emit("BNE row")
	p.label("over")
	f.end(p)
}

// transpose turns four rows, four columns at a time and then one. Rows that do not exist repeat the last one.
func (f *neonFunctions) transpose() {
	p := f.begin("transposeNEON", "func(dst []float32, ldd int, src []float32, lds, rows, cols int)",
		"sets dst[j*ldd+i] = src[i*lds+j] for i < rows <= 4, j < cols; it writes 4 lanes i.")
	dst, ldd := p.integer("dst_base"), p.stride("ldd")
	rows := p.rowPointers(4, p.integer("src_base"), p.stride("lds"), p.integer("rows"))
	cols := p.integer("cols")
	p.emit("SUBS $4, %v", cols)
	p.emit("BLT rest")
	p.label("block")
	for _, column := range p.turn(rows) {
		p.emit("VST1 [%v.S4], (%v)", column, dst)
		p.emit("ADD %v, %v", ldd, dst)
	}
	p.emit("SUBS $4, %v", cols)
	p.emit("BGE block")
	p.label("rest")
	p.emit("ADDS $4, %v", cols)
	p.emit("BEQ over")
	p.label("single")
	for i, r := range rows {
		p.emit("VLD1.P 4(%v), %v", r, element{0, i})
	}
	p.emit("VST1 [V0.S4], (%v)", dst)
	p.emit("ADD %v, %v", ldd, dst)
	p.emit("SUBS $1, %v", cols)
	p.emit("BNE single")
	p.label("over")
	f.end(p)
}

// turn loads a vector of each of four rows and returns the columns: pairs first, then pairs of pairs.
func (p *neonFunction) turn(rows []xreg) (columns [4]vreg) {
	for i, r := range rows {
		p.emit("VLD1.P 16(%v), [V%d.S4]", r, i)
	}
	for i := 0; i < 4; i += 2 { // V4 and V6 get the even columns of two rows, V5 and V7 the odd ones
		p.emit("VTRN1 V%d.S4, V%d.S4, V%d.S4", i+1, i, 4+i)
		p.emit("VTRN2 V%d.S4, V%d.S4, V%d.S4", i+1, i, 5+i)
	}
	for i := range 2 {
		p.emit("VTRN1 V%d.D2, V%d.D2, V%d.D2", 6+i, 4+i, i)
		p.emit("VTRN2 V%d.D2, V%d.D2, V%d.D2", 6+i, 4+i, 2+i)
	}
	return [4]vreg{0, 1, 2, 3}
}
