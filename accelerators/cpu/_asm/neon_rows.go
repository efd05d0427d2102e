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

func (f *neonFunctions) dot64() {
	p := f.begin("dot64NEON", "func(x, y []float32) float64",
		"returns sum(x*y), whose products and sums are float64.")
	sums := p.sums()
	p.loop([]string{"x", "y"}, neonUnroll/2, func(l neonLane, at []xreg) {
		x, y, a, b := l.load(at[0]), l.load(at[1]), p.v(), p.v()
		for i, half := range []vectorOp{fcvtl, fcvtl2} {
			p.do(half, a, x)
			p.do(half, b, y)
			p.do(fmla64, sums[2*l.unit+i], a, b)
		}
	})
	p.combine(fadd64, sums)
	p.do(faddp64, sums[0], sums[0], sums[0])
	p.emit("FMOVD F%d, %s", int(sums[0]), p.at("ret"))
	f.end(p)
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

func (f *neonFunctions) fill() {
	p := f.begin("fillNEON", "func(x []float32, value float32)", "sets each element to value.")
	value := p.scalar("value")
	p.loop([]string{"x"}, neonUnroll, func(l neonLane, at []xreg) { l.store(value, at[0]) })
	f.end(p)
}

func (f *neonFunctions) add() { f.binary("addNEON", fadd, "sets z = x+y.") }

func (f *neonFunctions) mul() { f.binary("mulNEON", fmul, "sets z = x*y.") }

func (f *neonFunctions) binary(name string, op vectorOp, doc string) {
	p := f.begin(name, "func(z, x, y []float32)", doc)
	p.loop([]string{"z", "x", "y"}, neonUnroll, func(l neonLane, at []xreg) {
		x, y := l.load(at[1]), l.load(at[2])
		p.do(op, x, x, y)
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
	p := f.begin("rmsNormGradNEON", "func(dx, dw, dy, x, w []float32, r, mean float32)",
		"adds r*(dy*w-h*mean) to dx and dy*h to dw, where h = x*r.")
	r, mean := p.scalar("r"), p.scalar("mean")
	p.loop([]string{"dx", "dw", "dy", "x", "w"}, 2, func(l neonLane, at []xreg) {
		dx, dw, dy, h, w := l.load(at[0]), l.load(at[1]), l.load(at[2]), l.load(at[3]), l.load(at[4])
		p.do(fmul, h, h, r)
		p.do(fmla, dw, dy, h)
		l.store(dw, at[1])
		p.do(fmul, w, w, dy)
		p.do(fmls, w, mean, h)
		p.do(fmla, dx, r, w)
		l.store(dx, at[0])
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
	p := f.begin("maxNEON", "func(x []float32) float32", "returns the largest element.")
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
		kept := p.v()
		p.doElement(fmulElement, kept, g, keep2) // g*g itself might be infinite
		p.doElement(fmulElement, v, v, beta2)
		p.do(fmla, v, g, kept)
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
