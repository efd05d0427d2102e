package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
)

func activationKernels(s isa) {
	swigluKernel(s)
	swigluGradKernel(s)
	geluKernel(s)
	geluGradKernel(s)
	geluTanhKernel(s)
	geluTanhGradKernel(s)
	tanhKernel(s)
	tanhGradKernel(s)
}

func swigluKernel(s isa) {
	begin("swiglu"+s.name, "func(y, gate, up []float32)", "sets y = silu(gate)*up.")
	p, n := slices("y", "gate", "up")
	s = s.keep(expWords, words(-math.MaxFloat32))
	s.loop(n, p, 2, func(l lane) {
		g, u := l.load(p[1]), l.load(p[2])
		sig := s.sigmoid(g)
		s.atLeast(-math.MaxFloat32, g) // infinity times nothing is a NaN
		VMULPS(sig, g, g)
		VMULPS(g, u, u)
		l.store(u, p[0])
	})
	end()
}

func swigluGradKernel(s isa) {
	begin("swigluGrad"+s.name, "func(dgate, dup, dy, gate, up []float32)", "is the gradient of swiglu.")
	p, n := slices("dgate", "dup", "dy", "gate", "up")
	s = s.keep(expWords, words(math.MaxFloat32, -math.MaxFloat32), []uint32{signBit})
	s.loop(n, p, 1, func(l lane) {
		d, g, u := l.load(p[2]), l.load(p[3]), l.load(p[4])
		sig, other := s.sigmoids(g)
		s.atLeast(-math.MaxFloat32, g)
		silu := s.vec()
		VMULPS(sig, g, silu)
		VMULPS(d, silu, silu)
		l.store(silu, p[1])
		s.atMost(math.MaxFloat32, g)
		VFMADD213PS(s.constant(1), other, g) // silu' = sig (1 + g (1-sig))
		VMULPS(sig, g, g)
		VMULPS(d, u, u)
		VMULPS(g, u, u)
		l.store(u, p[0])
	})
	end()
}

func geluKernel(s isa) {
	begin("gelu"+s.name, "func(y, x []float32)", "sets y = x*cdf(x) of the standard normal distribution.")
	p, n := slices("y", "x")
	s = s.keep(normalWords...)
	s.loop(n, p, 1, func(l lane) {
		x := l.load(p[1])
		z, bell, tail := s.normal(x)
		y := s.zero()
		VMAXPS(x, y, y)
		VMULPS(z, tail, tail)
		VFNMADD231PS(bell, tail, y)
		l.store(y, p[0])
	})
	end()
}

func geluGradKernel(s isa) {
	begin("geluGrad"+s.name, "func(dx, dy, x []float32)", "is the gradient of gelu.")
	p, n := slices("dx", "dy", "x")
	s = s.keep(normalWords...)
	s.loop(n, p, 1, func(l lane) {
		x := l.load(p[2])
		z, bell, tail := s.normal(x)
		// For a negative x: cdf + x*density = bell (R - z/sqrt(2 pi)).
		VFNMADD231PS(s.constant(1/math.Sqrt(2*math.Pi)), z, tail)
		VMULPS(bell, tail, tail)
		mirrored := s.load(1)
		VSUBPS(tail, mirrored, mirrored)
		grad := s.bySign(x, tail, mirrored)
		VMULPS(l.load(p[1]), grad, grad)
		l.store(grad, p[0])
	})
	end()
}

func geluTanhKernel(s isa) {
	begin("geluTanh"+s.name, "func(y, x []float32)", "sets y = x*sigmoid(a), a = x (geluLinear + geluCubic x^2).")
	p, n := slices("y", "x")
	s = s.keep(expWords, geluWords, words(-math.MaxFloat32))
	s.loop(n, p, 1, func(l lane) {
		x := l.load(p[1])
		_, a := s.geluArgument(x)
		sig := s.sigmoid(a)
		s.atLeast(-math.MaxFloat32, x) // infinity times nothing is a NaN
		VMULPS(sig, x, x)
		l.store(x, p[0])
	})
	end()
}

func geluTanhGradKernel(s isa) {
	begin("geluTanhGrad"+s.name, "func(dx, dy, x []float32)", "is the gradient of geluTanh.")
	p, n := slices("dx", "dy", "x")
	s = s.keep(expWords, geluWords, words(tailEnd, -tailEnd, 3*geluCubic), []uint32{signBit})
	s.loop(n, p, 1, func(l lane) {
		x := l.load(p[2])
		s.atMost(tailEnd, x)
		s.atLeast(-tailEnd, x)
		square, a := s.geluArgument(x)
		sig, other := s.sigmoids(a)
		slope := s.load(geluLinear)
		VFMADD231PS(s.constant(3*geluCubic), square, slope)
		VMULPS(x, slope, slope)
		VFMADD213PS(s.constant(1), other, slope) // sig + x sig (1-sig) a'
		VMULPS(sig, slope, slope)
		VMULPS(l.load(p[1]), slope, slope)
		l.store(slope, p[0])
	})
	end()
}

func tanhKernel(s isa) {
	begin("tanh"+s.name, "func(y, x []float32)", "sets y = tanh(x).")
	p, n := slices("y", "x")
	s = s.keep(expWords, words(tanhTerms...), words(2, tanhBound), []uint32{signBit, signBit - 1})
	s.loop(n, p, 1, func(l lane) { l.store(s.tanh(l.load(p[1])), p[0]) })
	end()
}

func tanhGradKernel(s isa) {
	begin("tanhGrad"+s.name, "func(dx, dy, y []float32)", "sets dx = dy*(1-y)*(1+y).")
	p, n := slices("dx", "dy", "y")
	one := s.load(1)
	s.loop(n, p, unrolled, func(l lane) {
		dy, y := l.load(p[1]), l.load(p[2])
		less := s.vec()
		VSUBPS(y, one, less)
		VADDPS(one, y, y)
		VMULPS(less, y, y)
		VMULPS(dy, y, y)
		l.store(y, p[0])
	})
	end()
}
