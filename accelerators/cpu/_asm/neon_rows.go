package main

import "math"

func (f *neonFunctions) dot() {
	p := f.begin("dotNEON", "func(x, y []float32) float32", "returns sum(x*y).")
	sums := p.sums()
	p.loop([]string{"x", "y"}, neonUnroll, func(l neonLane, at []xreg) {
		p.do(fmla, sums[l.unit], l.load(at[0]), l.load(at[1]))
	})
	f.endSum(p, sums)
}

func (f *neonFunctions) dot3() {
	p := f.begin("dot3NEON", "func(x, y, z []float32) float32", "returns sum(x*y*z).")
	sums := p.sums()
	p.loop([]string{"x", "y", "z"}, neonUnroll, func(l neonLane, at []xreg) {
		x, y, z := l.load(at[0]), l.load(at[1]), l.load(at[2])
		p.do(fmul, y, x, y)
		p.do(fmla, sums[l.unit], y, z)
	})
	f.endSum(p, sums)
}

func (f *neonFunctions) add() {
	p := f.begin("addNEON", "func(z, x, y []float32)", "sets z = x+y.")
	p.loop([]string{"z", "x", "y"}, neonUnroll, func(l neonLane, at []xreg) {
		x, y := l.load(at[1]), l.load(at[2])
		p.do(fadd, x, x, y)
		l.store(x, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) axpy() {
	p := f.begin("axpyNEON", "func(y, x []float32, alpha float32)", "adds alpha*x to y.")
	alpha := p.scalar("alpha")
	p.loop([]string{"y", "x"}, neonUnroll, func(l neonLane, at []xreg) {
		y, x := l.load(at[0]), l.load(at[1])
		p.do(fmla, y, x, alpha)
		l.store(y, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) scale() {
	p := f.begin("scaleNEON", "func(x []float32, alpha float32)", "multiplies x by alpha.")
	alpha := p.scalar("alpha")
	p.loop([]string{"x"}, neonUnroll, func(l neonLane, at []xreg) {
		x := l.load(at[0])
		p.do(fmul, x, x, alpha)
		l.store(x, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) scaleMul() {
	p := f.begin("scaleMulNEON", "func(y, x, w []float32, alpha float32)", "sets y = alpha*x*w.")
	alpha := p.scalar("alpha")
	p.loop([]string{"y", "x", "w"}, neonUnroll, func(l neonLane, at []xreg) {
		x, w := l.load(at[1]), l.load(at[2])
		p.do(fmul, x, x, alpha)
		p.do(fmul, x, x, w)
		l.store(x, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) rmsNormGrad() {
	p := f.begin("rmsNormGradNEON", "func(dx, dw, dy, x, w []float32, r, q float32)",
		"adds r*dy*w-q*x to dx and r*dy*x to dw.")
	r, q := p.scalar("r"), p.scalar("q")
	p.loop([]string{"dx", "dw", "dy", "x", "w"}, 1, func(l neonLane, at []xreg) {
		dx, dw, g, x, w := l.load(at[0]), l.load(at[1]), l.load(at[2]), l.load(at[3]), l.load(at[4])
		p.do(fmul, g, g, r)
		p.do(fmla, dx, g, w)
		p.do(fmls, dx, q, x)
		p.do(fmla, dw, g, x)
		l.store(dx, at[0])
		l.store(dw, at[1])
	})
	f.end(p)
}

func (f *neonFunctions) rotate() {
	p := f.begin("rotateNEON", "func(low, high, cos, sin []float32, sign float32)",
		"turns each pair (low, high) by the angle whose sine is sign*sin.")
	sign := p.scalar("sign")
	p.loop([]string{"low", "high", "cos", "sin"}, 1, func(l neonLane, at []xreg) {
		low, high, c, z := l.load(at[0]), l.load(at[1]), l.load(at[2]), l.load(at[3])
		x, y := p.v(), p.v()
		p.do(fmul, z, z, sign)
		p.do(fmul, x, low, c)
		p.do(fmls, x, high, z)
		p.do(fmul, y, high, c)
		p.do(fmla, y, low, z)
		l.store(x, at[0])
		l.store(y, at[1])
	})
	f.end(p)
}

func (f *neonFunctions) max() {
	p := f.begin("maxNEON", "func(x []float32) float32", "returns the largest element, or NaN if there is one.")
	var tops []vreg
	for range neonUnroll {
		tops = append(tops, p.lanes(math.Inf(-1)))
	}
	p.loop([]string{"x"}, neonUnroll, func(l neonLane, at []xreg) { l.max(l.load(at[0]), tops[l.unit]) })
	p.combine(fmax, tops)
	p.do(fmaxv, tops[0], tops[0])
	f.endWith(p, tops[0])
}

func (f *neonFunctions) softmaxGrad() {
	p := f.begin("softmaxGradNEON", "func(d, p []float32, mean, scale float32)", "sets d = p*(d-mean)*scale.")
	mean, scale := p.scalar("mean"), p.scalar("scale")
	p.loop([]string{"d", "p"}, neonUnroll, func(l neonLane, at []xreg) {
		d, w := l.load(at[0]), l.load(at[1])
		p.do(fsub, d, d, mean)
		p.do(fmul, w, w, scale)
		p.do(fmul, d, d, w)
		l.store(d, at[0])
	})
	f.end(p)
}

// adamw reads the constants in the order of the factors in adamw.go.
func (f *neonFunctions) adamw() {
	p := f.begin("adamwNEON", "func(param, grad, m, v []float32, c *[9]float32)", "is one step of AdamW.")
	constants := p.integer("c")
	low, high, decay := p.v(), p.v(), p.v()
	p.emit("FMOVQ (%v), F%d", constants, int(low))
	p.emit("FMOVQ 16(%v), F%d", constants, int(high))
	p.emit("FMOVS 32(%v), F%d", constants, int(decay))
	gradScale, beta1, keep1, beta2 := element{low, 0}, element{low, 1}, element{low, 2}, element{low, 3}
	keep2, root, eps, rate := element{high, 0}, element{high, 1}, element{high, 2}, element{high, 3}
	p.loop([]string{"param", "grad", "m", "v"}, 1, func(l neonLane, at []xreg) {
		x, g, m, v, divisor := l.load(at[0]), l.load(at[1]), l.load(at[2]), l.load(at[3]), p.v()
		p.doElement(fmulElement, g, g, gradScale)
		p.doElement(fmulElement, m, m, beta1)
		p.doElement(fmlaElement, m, g, keep1)
		l.store(m, at[2])
		p.do(fmul, g, g, g)
		p.doElement(fmulElement, v, v, beta2)
		p.doElement(fmlaElement, v, g, keep2)
		l.store(v, at[3])
		p.do(fsqrt, v, v)
		p.spread(divisor, eps)
		p.doElement(fmlaElement, divisor, v, root)
		p.doElement(fmulElement, m, m, rate)
		p.do(fdiv, m, m, divisor)
		p.do(fneg, m, m)
		p.doElement(fmlaElement, m, x, element{decay, 0})
		l.store(m, at[0])
	})
	f.end(p)
}
