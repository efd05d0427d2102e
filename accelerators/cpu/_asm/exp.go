package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	ln2High = 0.693145751953125
	ln2Low  = 1.42860682030941723e-6
	expMin  = -87.33654
	expMax  = 89 // any value of which the exponential is infinite
)

// exp is the exponential of x as exp.go of package cpu has it; x is clobbered. A NaN stays one, as the second operand
// of the minimum does.
func (s isa) exp(x reg.VecVirtual) reg.VecVirtual {
	limit := s.load(expMax)
	VMINPS(x, limit, x)
	n, r := s.vec(), s.vec()
	VMULPS(constant(math.Log2E), x, n)
	s.round(n)
	VMOVAPS(x, r)
	VFNMADD231PS(constant(ln2High), n, r)
	VFNMADD231PS(constant(ln2Low), n, r)
	p := s.load(1.0 / 720)
	for _, c := range []float64{1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1} {
		VFMADD213PS(constant(c), r, p)
	}
	s.raise(p, n)
	s.clearBelow(p, x)
	return p
}

// round rounds to the nearest integer.
func (s isa) round(n reg.VecVirtual) {
	if s.wide() {
		VRNDSCALEPS(U8(8), n, n)
	} else {
		VROUNDPS(U8(8), n, n)
	}
}

// raise multiplies p by 2^n.
func (s isa) raise(p, n reg.VecVirtual) {
	if s.wide() {
		VSCALEFPS(n, p, p)
		return
	}
	half := s.vec()
	VCVTPS2DQ(n, n)
	VPSRAD(U8(1), n, half)
	VPSUBD(half, n, n)
	for _, e := range []reg.VecVirtual{half, n} { // in two steps: 2^128 has no float
		VPADDD(word(127), e, e)
		VPSLLD(U8(23), e, e)
		VMULPS(e, p, p)
	}
}

// clearBelow makes p zero where x is below expMin.
func (s isa) clearBelow(p, x reg.VecVirtual) {
	const notLess = 5
	if s.wide() {
		k := K()
		VCMPPS(U8(notLess), constant(expMin), x, k)
		VMOVAPS_Z(p, k, p)
		return
	}
	VCMPPS(U8(notLess), constant(expMin), x, x)
	VANDPS(x, p, p)
}

// sigmoid is 1/(1+exp(-x)); x is kept.
func (s isa) sigmoid(x reg.VecVirtual) reg.VecVirtual {
	t := s.zero()
	VSUBPS(x, t, t)
	e := s.exp(t)
	VADDPS(constant(1), e, e)
	one := s.load(1)
	VDIVPS(e, one, one)
	return one
}

// tail is R in 1-cdf(z) = exp(-z^2/2) R(z) for z >= 0: t times this polynomial in t = 1/(1+z*tailRate), fitted by
// weighted least squares to a relative error of 3e-8 on [0, 14].
const tailRate = 0.35

var tailTerms = []float64{-0.0291461346, 0.143972683, -0.255716269, 0.159176433, -0.0231113763, 0.105508645,
	0.119832708, 0.139861891, 0.139621403}

// normal is the standard normal distribution's cumulative function at x, and exp(-x^2/2); x is kept.
func (s isa) normal(x reg.VecVirtual) (cdf, bell reg.VecVirtual) {
	square := s.vec()
	VMULPS(constant(-0.5), x, square)
	VMULPS(x, square, square)
	bell = s.exp(square)
	t := s.vec()
	s.and(word(0x7fffffff), x, t)
	denominator := s.load(1)
	VFMADD231PS(constant(tailRate), t, denominator)
	VMOVUPS(constant(1), t)
	VDIVPS(denominator, t, t)
	cdf = s.load(tailTerms[0])
	for _, c := range tailTerms[1:] {
		VFMADD213PS(constant(c), t, cdf)
	}
	VMULPS(t, cdf, cdf)
	VMULPS(bell, cdf, cdf)
	s.mirror(cdf, x)
	return cdf, bell
}

func (s isa) and(m Mem, x, dst reg.VecVirtual) {
	if s.wide() {
		VPANDD(m, x, dst)
	} else {
		VANDPS(m, x, dst)
	}
}

// mirror makes p 1-p where x is positive.
func (s isa) mirror(p, x reg.VecVirtual) {
	other := s.load(1)
	VSUBPS(p, other, other)
	if s.wide() {
		const notGreater = 10
		k := K()
		VCMPPS(U8(notGreater), s.zero(), x, k)
		VBLENDMPS(p, other, k, p)
		return
	}
	VBLENDVPS(x, p, other, p) // by the sign bit
}
