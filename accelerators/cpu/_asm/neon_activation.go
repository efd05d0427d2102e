package main

import "math"

func (f *neonFunctions) activationKernels() {
	f.swiglu()
	f.swigluGrad()
	f.gelu()
	f.geluGrad()
	f.geluTanh()
	f.geluTanhGrad()
	f.tanhForward()
	f.tanhGrad()
}

func (f *neonFunctions) swiglu() {
	p := f.begin("swigluNEON", "func(y, gate, up []float32)", "sets y = silu(gate)*up.")
	p.loop([]string{"y", "gate", "up"}, 2, func(l neonLane, at []xreg) {
		g, u := l.load(at[1]), l.load(at[2])
		sig := p.sigmoid(g)
		p.do(fmax, g, g, p.lanes(-math.MaxFloat32)) // infinity times nothing is a NaN
		p.do(fmul, g, g, sig)
		p.do(fmul, u, u, g)
		l.store(u, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) swigluGrad() {
	p := f.begin("swigluGradNEON", "func(dgate, dup, dy, gate, up []float32)", "is the gradient of swiglu.")
	p.loop([]string{"dgate", "dup", "dy", "gate", "up"}, 1, func(l neonLane, at []xreg) {
		d, g, u, t := l.load(at[2]), l.load(at[3]), l.load(at[4]), p.v()
		sig, other := p.sigmoids(g)
		p.do(fmax, g, g, p.lanes(-math.MaxFloat32))
		p.do(fmul, t, g, sig)
		p.do(fmul, t, t, d)
		l.store(t, at[1])
		p.do(fmin, g, g, p.lanes(math.MaxFloat32))
		p.spread(t, p.constant(1))
		p.do(fmla, t, g, other) // silu' = sig (1 + g (1-sig))
		p.do(fmul, t, t, sig)
		p.do(fmul, u, u, d)
		p.do(fmul, u, u, t)
		l.store(u, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) gelu() {
	p := f.begin("geluNEON", "func(y, x []float32)", "sets y = x*cdf(x) of the standard normal distribution.")
	p.loop([]string{"y", "x"}, 1, func(l neonLane, at []xreg) {
		x, y := l.load(at[1]), p.v()
		z, bell, tail := p.normal(x)
		p.zero(y)
		p.do(fmax, y, y, x)
		p.do(fmul, tail, tail, z)
		p.do(fmls, y, tail, bell)
		l.store(y, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) geluGrad() {
	p := f.begin("geluGradNEON", "func(dx, dy, x []float32)", "is the gradient of gelu.")
	p.loop([]string{"dx", "dy", "x"}, 1, func(l neonLane, at []xreg) {
		x := l.load(at[2])
		z, bell, tail := p.normal(x)
		// For a negative x: cdf + x*density = bell (R - z/sqrt(2 pi)).
		p.doElement(fmlsElement, tail, z, p.constant(1/math.Sqrt(2*math.Pi)))
		p.do(fmul, tail, tail, bell)
		mirrored := p.lanes(1)
		p.do(fsub, mirrored, mirrored, tail)
		grad := p.bySign(x, tail, mirrored)
		p.do(fmul, grad, grad, l.load(at[1]))
		l.store(grad, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) geluTanh() {
	p := f.begin("geluTanhNEON", "func(y, x []float32)", "sets y = x*sigmoid(a), a = x (geluLinear + geluCubic x^2).")
	p.loop([]string{"y", "x"}, 1, func(l neonLane, at []xreg) {
		x := l.load(at[1])
		_, a := p.geluArgument(x)
		sig := p.sigmoid(a)
		p.do(fmax, x, x, p.lanes(-math.MaxFloat32)) // infinity times nothing is a NaN
		p.do(fmul, x, x, sig)
		l.store(x, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) geluTanhGrad() {
	p := f.begin("geluTanhGradNEON", "func(dx, dy, x []float32)", "is the gradient of geluTanh.")
	p.loop([]string{"dx", "dy", "x"}, 1, func(l neonLane, at []xreg) {
		x := l.load(at[2])
		p.do(fmin, x, x, p.lanes(tailEnd))
		p.do(fmax, x, x, p.lanes(-tailEnd))
		square, a := p.geluArgument(x)
		sig, other := p.sigmoids(a)
		slope, grad := p.lanes(geluLinear), p.lanes(1)
		p.doElement(fmlaElement, slope, square, p.constant(3*geluCubic))
		p.do(fmul, slope, slope, x)
		p.do(fmla, grad, slope, other) // sig + x sig (1-sig) a'
		p.do(fmul, grad, grad, sig)
		p.do(fmul, grad, grad, l.load(at[1]))
		l.store(grad, at[0])
	})
	f.end(p)
}

func (f *neonFunctions) tanhForward() {
	p := f.begin("tanhNEON", "func(y, x []float32)", "sets y = tanh(x).")
	p.loop([]string{"y", "x"}, 1, func(l neonLane, at []xreg) { l.store(p.tanh(l.load(at[1])), at[0]) })
	f.end(p)
}

func (f *neonFunctions) tanhGrad() {
	p := f.begin("tanhGradNEON", "func(dx, dy, y []float32)", "sets dx = dy*(1-y)*(1+y).")
	one := p.lanes(1)
	p.loop([]string{"dx", "dy", "y"}, neonUnroll, func(l neonLane, at []xreg) {
		dy, y, less := l.load(at[1]), l.load(at[2]), p.v()
		p.do(fsub, less, one, y)
		p.do(fadd, y, y, one)
		p.do(fmul, y, y, less)
		p.do(fmul, y, y, dy)
		l.store(y, at[0])
	})
	f.end(p)
}
