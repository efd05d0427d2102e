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
	p.polynomial(result, next, r, append(expTerms, 1, 1))
	p.raise(result, n)
	p.spread(next, p.constant(expMin))
	p.do(fcmgt, next, next, x)
	p.do(bic, result, result, next)
	return result
}

// polynomial sets result to the polynomial in x of which terms are the coefficients, the highest first; next is
// clobbered.
func (p *neonFunction) polynomial(result, next, x vreg, terms []float64) {
	p.spread(result, p.constant(terms[0]))
	for _, c := range terms[1:] {
		p.spread(next, p.constant(c))
		p.do(fmla, next, result, x)
		p.move(result, next)
	}
}

// raise multiplies v by 2^n, in two steps: 2^128 has no float. n is clobbered.
func (p *neonFunction) raise(v, n vreg) {
	p.scope(func() {
		half, bias := p.v(), p.v()
		p.do(fcvtns, n, n)
		p.shiftRight(half, n, 1)
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

// sigmoids are the sigmoid of x and that of -x, which is 1 minus the former without its cancellation; x is kept.
func (p *neonFunction) sigmoids(x vreg) (sig, other vreg) {
	t := p.v()
	p.do(fabs, t, x)
	p.do(fneg, t, t)
	small := p.exp(t)
	sum, large := p.lanes(1), p.lanes(1)
	p.do(fadd, sum, sum, small)
	p.do(fdiv, large, large, sum)
	p.do(fmul, small, small, large)
	return p.bySign(x, small, large), p.bySign(x, large, small)
}

// bySign is negative where the sign bit of x is set, else positive.
func (p *neonFunction) bySign(x, negative, positive vreg) vreg {
	v := p.v()
	p.shiftRight(v, x, 31)
	p.do(bsl, v, negative, positive)
	return v
}

// tanh is x + x^3 times a polynomial below tanhBound, and 1 - 2/(exp(2|x|)+1) with the sign of x above; x is kept.
func (p *neonFunction) tanh(x vreg) vreg {
	size, t := p.v(), p.v()
	p.do(fabs, size, x)
	p.do(fadd, t, size, size)
	e, one, large := p.exp(t), p.lanes(1), p.lanes(2)
	p.do(fadd, e, e, one)
	p.do(fdiv, large, large, e)
	p.do(fsub, large, one, large)
	p.do(fneg, t, large)
	large = p.bySign(x, t, large)

	z, small, next := p.v(), p.v(), p.v()
	p.do(fmul, z, x, x)
	p.polynomial(small, next, z, tanhTerms)
	p.do(fmul, z, z, x)
	p.move(next, x)
	p.do(fmla, next, small, z)
	below := p.lanes(tanhBound)
	p.do(fcmgt, below, below, size)
	p.do(bsl, below, next, large)
	return below
}

// normal is z = |x|, at most tailEnd, with the bell exp(-z^2/2) and the tail R(z) that stands with the kernels for
// amd64; x is kept.
func (p *neonFunction) normal(x vreg) (z, bell, tail vreg) {
	z, tail = p.v(), p.v()
	square, rest, t, next := p.v(), p.v(), p.lanes(1), p.lanes(tailEnd)
	p.do(fabs, z, x)
	p.do(fmin, z, z, next)
	p.do(fmul, square, z, z)
	p.do(fneg, rest, square)
	p.do(fmla, rest, z, z) // what rounding took from the square, by which a large one would spoil the bell
	p.doElement(fmulElement, square, square, p.constant(-0.5))
	bell = p.exp(square)
	p.doElement(fmulElement, rest, rest, p.constant(-0.5))
	p.do(fmla, bell, bell, rest)

	p.spread(next, p.constant(1))
	p.doElement(fmlaElement, next, z, p.constant(tailRate))
	p.do(fdiv, t, t, next)
	p.polynomial(tail, next, t, tailTerms)
	p.do(fmul, tail, tail, t)
	return z, bell, tail
}

// geluArgument is the argument of the sigmoid in geluTanh, with the square of x; x is kept.
func (p *neonFunction) geluArgument(x vreg) (square, a vreg) {
	square, a = p.v(), p.lanes(geluLinear)
	p.do(fmul, square, x, x)
	p.doElement(fmlaElement, a, square, p.constant(geluCubic))
	p.do(fmul, a, a, x)
	return square, a
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
