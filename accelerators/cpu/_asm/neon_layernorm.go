package main

func (f *neonFunctions) layerNormKernels() {
	f.sum()
	f.squares()
	f.centredSums()
	f.layerNorm()
	f.layerNormGrad()
}

func (f *neonFunctions) sum() {
	p := f.begin("sumNEON", "func(x []float32) float32", "returns sum(x).")
	sums := p.sums()
	p.loop([]string{"x"}, neonUnroll, func(l neonLane, at []xreg) {
		p.do(fadd, sums[l.unit], sums[l.unit], l.load(at[0]))
	})
	f.endSum(p, sums)
}

func (f *neonFunctions) squares() {
	p := f.begin("squaresNEON", "func(x []float32, mean float32) float32", "returns sum((x-mean)^2).")
	sums, mean := p.sums(), p.scalar("mean")
	p.loop([]string{"x"}, neonUnroll, func(l neonLane, at []xreg) {
		x := l.load(at[0])
		p.do(fsub, x, x, mean)
		p.do(fmul, x, x, x)
		l.add(x, sums[l.unit])
	})
	f.endSum(p, sums)
}

func (f *neonFunctions) centredSums() {
	p := f.begin("centredSumsNEON", "func(x, y, z []float32, mean float32) (sum, inner float32)",
		"returns sum(y*z) and sum((x-mean)*y*z).")
	sums, inner, mean := p.sums(), p.sums(), p.scalar("mean")
	p.loop([]string{"x", "y", "z"}, neonUnroll, func(l neonLane, at []xreg) {
		x, y, z := l.load(at[0]), l.load(at[1]), l.load(at[2])
		p.do(fmul, z, y, z)
		p.do(fadd, sums[l.unit], sums[l.unit], z)
		p.do(fsub, x, x, mean)
		p.do(fmla, inner[l.unit], x, z) // z is zero in the lanes that are not there
	})
	p.emit("FMOVS F%d, %s", int(p.fold(sums)), p.at("sum"))
	p.emit("FMOVS F%d, %s", int(p.fold(inner)), p.at("inner"))
	f.end(p)
}

func (f *neonFunctions) layerNorm() {
	p := f.begin("layerNormNEON", "func(y, x, w, b []float32, mean, r float32)", "sets y = (x-mean)*r*w + b.")
	mean, r := p.scalar("mean"), p.scalar("r")
	p.loop([]string{"y", "x", "w", "b"}, 2, func(l neonLane, at []xreg) {
		x, w, b := l.load(at[1]), l.load(at[2]), l.load(at[3])
		p.do(fsub, x, x, mean)
		p.do(fmul, x, x, r)
		p.do(fmla, b, x, w)
		l.store(b, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) layerNormGrad() {
	p := f.begin("layerNormGradNEON",
		"func(dx, dw, db, dy, x, w []float32, mean, r, sum, inner float32)",
		"adds r*(dy*w-sum-h*inner) to dx, dy*h to dw and dy to db, where h = (x-mean)*r.")
	mean, r, sum, inner := p.scalar("mean"), p.scalar("r"), p.scalar("sum"), p.scalar("inner")
	p.do(fneg, sum, sum)
	p.loop([]string{"dx", "dw", "db", "dy", "x", "w"}, 1, func(l neonLane, at []xreg) {
		dx, dw, db := l.load(at[0]), l.load(at[1]), l.load(at[2])
		dy, h, w, g := l.load(at[3]), l.load(at[4]), l.load(at[5]), p.v()
		p.do(fsub, h, h, mean)
		p.do(fmul, h, h, r)
		p.do(fadd, db, db, dy)
		l.store(db, at[2])
		p.do(fmla, dw, dy, h)
		l.store(dw, at[1])
		p.move(g, sum)
		p.do(fmla, g, dy, w)
		p.do(fmls, g, h, inner)
		p.do(fmla, dx, g, r)
		l.store(dx, at[0])
	})
	f.end(p)
}
