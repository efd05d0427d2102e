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

// expTerms are the coefficients of r^6 to r^2 in e^r, whose relative error on [-ln 2/2, ln 2/2] they make least: 4e-9.
var expTerms = []float64{0.00138131448, 0.00836941879, 0.041668456, 0.166665152, 0.49999994}

// expWords are the constants of exp.
var expWords = words(append([]float64{expMax, math.Log2E, ln2High, ln2Low, 1, expMin}, expTerms...)...)

// exp is the exponential of x as exp.go of package cpu has it; x is clobbered.
func (s isa) exp(x reg.VecVirtual) reg.VecVirtual {
	s.atMost(expMax, x)
	n, r := s.vec(), s.vec()
	VMULPS(s.constant(math.Log2E), x, n)
	s.round(n)
	VMOVAPS(x, r)
	VFNMADD231PS(s.constant(ln2High), n, r)
	VFNMADD231PS(s.constant(ln2Low), n, r)
	p := s.load(expTerms[0])
	for _, c := range expTerms[1:] {
		VFMADD213PS(s.constant(c), r, p)
	}
	VFMADD213PS(s.constant(1), r, p)
	VFMADD213PS(s.constant(1), r, p)
	s.raise(p, n)
	s.clearBelow(p, x)
	return p
}

// atMost and atLeast put a limit to x. A NaN stays one, as the second operand of minimum and maximum does.
func (s isa) atMost(limit float64, x reg.VecVirtual) { VMINPS(x, s.load(limit), x) }

func (s isa) atLeast(limit float64, x reg.VecVirtual) { VMAXPS(x, s.load(limit), x) }

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
		VPADDD(s.word(127), e, e)
		VPSLLD(U8(23), e, e)
		VMULPS(e, p, p)
	}
}

// clearBelow makes p zero where x is below expMin.
func (s isa) clearBelow(p, x reg.VecVirtual) {
	const notLess = 5
	if s.wide() {
		k := K()
		VCMPPS(U8(notLess), s.constant(expMin), x, k)
		VMOVAPS_Z(p, k, p)
		return
	}
	VCMPPS(U8(notLess), s.constant(expMin), x, x)
	VANDPS(x, p, p)
}

// sigmoid is 1/(1+exp(-x)); x is kept.
func (s isa) sigmoid(x reg.VecVirtual) reg.VecVirtual {
	t := s.zero()
	VSUBPS(x, t, t)
	e := s.exp(t)
	VADDPS(s.constant(1), e, e)
	one := s.load(1)
	VDIVPS(e, one, one)
	return one
}

// sigmoids are the sigmoid of x and that of -x, which is 1 minus the former without its cancellation; x is kept.
func (s isa) sigmoids(x reg.VecVirtual) (sig, other reg.VecVirtual) {
	t := s.vec()
	s.or(s.word(signBit), x, t) // -|x|
	small := s.exp(t)
	sum := s.vec()
	VADDPS(s.constant(1), small, sum)
	large := s.load(1)
	VDIVPS(sum, large, large)
	VMULPS(large, small, small)
	return s.bySign(x, small, large), s.bySign(x, large, small)
}

// tanhTerms are the coefficients of z^4 to 1 in (tanh(x)-x)/x^3, z = x^2, whose error relative to tanh they make least
// for |x| below tanhBound: 5e-9.
var tanhTerms = []float64{-0.0057049864, 0.0206390861, -0.0537397154, 0.133314416, -0.333332807}

const tanhBound = 0.625

// tanh is x + x^3 times the polynomial below tanhBound, and 1 - 2/(exp(2|x|)+1) with the sign of x above; x is kept.
func (s isa) tanh(x reg.VecVirtual) reg.VecVirtual {
	size := s.vec()
	s.and(s.word(signBit-1), x, size)
	t := s.vec()
	VADDPS(size, size, t)
	e := s.exp(t)
	VADDPS(s.constant(1), e, e)
	q := s.load(2)
	VDIVPS(e, q, q)
	large := s.load(1)
	VSUBPS(q, large, large)
	sign := s.vec()
	s.and(s.word(signBit), x, sign)
	s.orVec(sign, large)

	z, small := s.vec(), s.load(tanhTerms[0])
	VMULPS(x, x, z)
	for _, c := range tanhTerms[1:] {
		VFMADD213PS(s.constant(c), z, small)
	}
	VMULPS(x, z, z)
	VFMADD213PS(x, z, small)
	return s.below(tanhBound, size, small, large)
}

// tail is R in 1-cdf(z) = exp(-z^2/2) R(z) for z >= 0: t times this polynomial in t = 1/(1+z*tailRate), fitted by
// weighted least squares to a relative error of 3e-8 on [0, 14].
const tailRate = 0.35

var tailTerms = []float64{-0.0291461346, 0.143972683, -0.255716269, 0.159176433, -0.0231113763, 0.105508645,
	0.119832708, 0.139861891, 0.139621403}

// tailEnd is an argument beyond which exp(-z^2/2) counts as 0.
const tailEnd = 20

// normalWords are the constants of normal.
var normalWords = [][]uint32{expWords, words(tailTerms[1:]...), words(tailRate, -0.5)}

// normal is z = |x|, at most tailEnd, with the bell exp(-z^2/2) and the tail R(z); x is kept.
func (s isa) normal(x reg.VecVirtual) (z, bell, tail reg.VecVirtual) {
	z = s.vec()
	s.and(s.word(signBit-1), x, z)
	s.atMost(tailEnd, z)
	square, rest := s.vec(), s.vec()
	VMULPS(z, z, square)
	VMOVAPS(z, rest)
	VFMSUB213PS(square, z, rest) // what rounding took from the square, by which a large one would spoil the bell
	VMULPS(s.constant(-0.5), square, square)
	bell = s.exp(square)
	VMULPS(s.constant(-0.5), rest, rest)
	VFMADD231PS(rest, bell, bell)

	denominator, t := s.load(1), s.load(1)
	VFMADD231PS(s.constant(tailRate), z, denominator)
	VDIVPS(denominator, t, t)
	tail = s.load(tailTerms[0])
	for _, c := range tailTerms[1:] {
		VFMADD213PS(s.constant(c), t, tail)
	}
	VMULPS(t, tail, tail)
	return z, bell, tail
}

// The argument of the sigmoid in geluTanh is x (geluLinear + geluCubic x^2).
const (
	geluLinear = 1.5957691216057308 // 2 sqrt(2/pi)
	geluCubic  = geluLinear * 0.044715
)

// geluWords are the constants of geluArgument.
var geluWords = words(geluLinear, geluCubic)

// geluArgument is the argument, with the square of x; x is kept.
func (s isa) geluArgument(x reg.VecVirtual) (square, a reg.VecVirtual) {
	square, a = s.vec(), s.load(geluLinear)
	VMULPS(x, x, square)
	VFMADD231PS(s.constant(geluCubic), square, a)
	VMULPS(x, a, a)
	return square, a
}

const signBit = 1 << 31

func (s isa) and(m Op, x, dst reg.VecVirtual) {
	if s.wide() {
		VPANDD(m, x, dst)
	} else {
		VANDPS(m, x, dst)
	}
}

func (s isa) or(m Op, x, dst reg.VecVirtual) {
	if s.wide() {
		VPORD(m, x, dst)
	} else {
		VORPS(m, x, dst)
	}
}

// orVec sets dst |= x.
func (s isa) orVec(x, dst reg.VecVirtual) {
	if s.wide() {
		VPORD(x, dst, dst)
	} else {
		VORPS(x, dst, dst)
	}
}

// bySign is negative where the sign bit of x is set, else positive.
func (s isa) bySign(x, negative, positive reg.VecVirtual) reg.VecVirtual {
	v := s.vec()
	if s.wide() {
		k := K()
		VPMOVD2M(x, k)
		VBLENDMPS(negative, positive, k, v)
	} else {
		VBLENDVPS(x, negative, positive, v)
	}
	return v
}

// below is small where x is below the limit, else large.
func (s isa) below(limit float64, x, small, large reg.VecVirtual) reg.VecVirtual {
	const less = 1
	v := s.vec()
	if s.wide() {
		k := K()
		VCMPPS(U8(less), s.constant(limit), x, k)
		VBLENDMPS(small, large, k, v)
	} else {
		VCMPPS(U8(less), s.constant(limit), x, v)
		VBLENDVPS(v, small, large, v)
	}
	return v
}
