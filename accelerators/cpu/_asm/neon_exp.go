package main

import "math"

// exp is the exponential of x as exp.go of package cpu has it; x is clobbered. A NaN stays one, as the minimum with it
// is NaN and no number is greater.
func (p *neonFunction) exp(x vreg) vreg {
	p.do(fmin, x, x, p.lanes(expMax))
	n, r, result, next := p.v(), p.v(), p.v(), p.v()
	p.doElement(fmulElement, n, x, p.constant(math.Log2E))
	p.do(frintn, n, n)
	p.move(r, x)
	p.doElement(fmlsElement, r, n, p.constant(ln2High))
	p.doElement(fmlsElement, r, n, p.constant(ln2Low))
	p.spread(result, p.constant(1.0/720))
	for _, c := range []float64{1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1} {
		p.spread(next, p.constant(c))
		p.do(fmla, next, result, r)
		result, next = next, result
	}
	p.raise(result, n)
	p.spread(next, p.constant(expMin))
	p.do(fcmgt, next, next, x)
	p.do(bic, result, result, next)
	return result
}

// raise multiplies v by 2^n, in two steps: 2^128 has no float. n is clobbered.
func (p *neonFunction) raise(v, n vreg) {
	p.scope(func() {
		half, bias := p.v(), p.v()
		p.do(fcvtns, n, n)
		p.half(half, n)
		p.do(sub, n, n, half)
		p.spread(bias, p.bits(127))
		for _, e := range []vreg{half, n} {
			p.do(add, e, e, bias)
			p.emit("VSHL $23, %v.S4, %v.S4", e, e)
			p.do(fmul, v, v, e)
		}
	})
}

// sigmoid is 1/(1+exp(-x)); x is kept.
func (p *neonFunction) sigmoid(x vreg) vreg {
	t := p.v()
	p.do(fneg, t, x)
	e, one := p.exp(t), p.lanes(1)
	p.do(fadd, e, e, one)
	p.do(fdiv, one, one, e)
	return one
}

// normal is the standard normal distribution's cumulative function at x, and exp(-x^2/2); x is kept. What a
// polynomial does for it stands with the kernels for amd64.
func (p *neonFunction) normal(x vreg) (cdf, bell vreg) {
	cdf, t, square := p.v(), p.v(), p.v()
	p.doElement(fmulElement, square, x, p.constant(-0.5))
	p.do(fmul, square, square, x)
	bell = p.exp(square)
	p.scope(func() {
		one, magnitude, next := p.lanes(1), p.v(), p.v()
		p.do(fabs, magnitude, x)
		p.move(t, one)
		p.doElement(fmlaElement, t, magnitude, p.constant(tailRate))
		p.do(fdiv, t, one, t)
		p.spread(cdf, p.constant(tailTerms[0]))
		for _, c := range tailTerms[1:] {
			p.spread(next, p.constant(c))
			p.do(fmla, next, cdf, t)
			p.move(cdf, next)
		}
		p.do(fmul, cdf, cdf, t)
		p.do(fmul, cdf, cdf, bell)
		p.do(fsub, one, one, cdf)
		p.zero(next)
		p.do(fcmgt, next, x, next)
		p.do(bit, cdf, one, next) // 1-cdf where x is positive
	})
	return cdf, bell
}

func (f *neonFunctions) expSum() {
	p := f.begin("expSumNEON", "func(x []float32, scale, shift float32) float32",
		"sets x = exp(scale*x-shift) and returns its sum.")
	sums, scale, shift := p.sums(), p.scalar("scale"), p.scalar("shift")
	p.do(fneg, shift, shift)
	p.loop([]string{"x"}, neonUnroll, func(l neonLane, at []xreg) {
		x, t := l.load(at[0]), p.v()
		p.move(t, shift)
		p.do(fmla, t, x, scale)
		e := p.exp(t)
		l.store(e, at[0])
		l.add(e, sums[l.unit])
	})
	f.endSum(p, sums)
}

func (f *neonFunctions) swiglu() {
	p := f.begin("swigluNEON", "func(y, gate, up []float32)", "sets y = silu(gate)*up.")
	p.loop([]string{"y", "gate", "up"}, 2, func(l neonLane, at []xreg) {
		g, u := l.load(at[1]), l.load(at[2])
		p.do(fmul, u, u, g)
		p.do(fmul, u, u, p.sigmoid(g))
		l.store(u, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) swigluGrad() {
	p := f.begin("swigluGradNEON", "func(dgate, dup, dy, gate, up []float32)", "is the gradient of swiglu.")
	p.loop([]string{"dgate", "dup", "dy", "gate", "up"}, 1, func(l neonLane, at []xreg) {
		d, g, u, t := l.load(at[2]), l.load(at[3]), l.load(at[4]), p.v()
		sig := p.sigmoid(g)
		p.do(fmul, g, g, sig) // silu
		p.do(fmul, t, d, g)
		l.store(t, at[1])
		p.do(fmul, u, u, d)
		p.do(fadd, t, sig, g) // silu' = sig + silu - silu*sig
		p.do(fmls, t, g, sig)
		p.do(fmul, u, u, t)
		l.store(u, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) gelu() {
	p := f.begin("geluNEON", "func(y, x []float32)", "sets y = x*cdf(x) of the standard normal distribution.")
	p.loop([]string{"y", "x"}, 1, func(l neonLane, at []xreg) {
		x := l.load(at[1])
		cdf, _ := p.normal(x)
		p.do(fmul, cdf, cdf, x)
		l.store(cdf, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) geluGrad() {
	p := f.begin("geluGradNEON", "func(dx, dy, x []float32)", "is the gradient of gelu.")
	p.loop([]string{"dx", "dy", "x"}, 1, func(l neonLane, at []xreg) {
		dy, x := l.load(at[1]), l.load(at[2])
		cdf, bell := p.normal(x)
		p.doElement(fmulElement, bell, bell, p.constant(1/math.Sqrt(2*math.Pi)))
		p.do(fmla, cdf, x, bell)
		p.do(fmul, cdf, cdf, dy)
		l.store(cdf, at[0])
	})
	f.end(p)
}
