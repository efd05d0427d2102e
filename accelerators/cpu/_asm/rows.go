package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func rowKernels(s isa) {
	dotKernel(s)
	dot3Kernel(s)
	dot64Kernel(s)
	addKernel(s)
	mulKernel(s)
	fillKernel(s)
	axpyKernel(s)
	scaleKernel(s)
	scaleMulKernel(s)
	rmsNormGradKernel(s)
	layerNormKernels(s)
	rotateKernel(s)
	maxKernel(s)
	expSumKernel(s)
	softmaxGradKernel(s)
	activationKernels(s)
	adamwKernel(s)
}

// streamKernels are those that have a version with stores past the cache.
func streamKernels(s isa) {
	copyKernel(s)
	fillKernel(s)
	addKernel(s)
	mulKernel(s)
	scaleMulKernel(s)
	layerNormKernel(s)
	activationKernels(s)
}

// slices loads the base of each slice parameter and the length of the first.
func slices(names ...string) (bases []reg.GPVirtual, n reg.GPVirtual) {
	for _, name := range names {
		bases = append(bases, Load(Param(name).Base(), GP64()).(reg.GPVirtual))
	}
	return bases, Load(Param(names[0]).Len(), GP64()).(reg.GPVirtual)
}

const unrolled = 4

// sums are accumulators, one for each unrolled vector.
func (s isa) sums() []reg.VecVirtual {
	var v []reg.VecVirtual
	for range unrolled {
		v = append(v, s.zero())
	}
	return v
}

func combine(v []reg.VecVirtual, op func(ops ...Op)) reg.VecVirtual {
	op(v[1], v[0], v[0])
	op(v[3], v[2], v[2])
	op(v[2], v[0], v[0])
	return v[0]
}

// giveBack ends a function with its results. The move is an SSE one, which wants the wide registers clean.
func giveBack(results ...reg.VecVirtual) {
	VZEROUPPER()
	for i, x := range results {
		Store(x, ReturnIndex(i))
	}
	RET()
}

func dotKernel(s isa) {
	begin("dot"+s.name, "func(x, y []float32) float32", "returns sum(x*y).")
	p, n := slices("x", "y")
	sums := s.sums()
	s.loop(n, p, unrolled, func(l lane) {
		x, y := l.load(p[0]), l.load(p[1])
		VFMADD231PS(x, y, sums[l.unit])
	})
	giveBack(s.fold(combine(sums, VADDPS), VADDPS))
}

func dot3Kernel(s isa) {
	begin("dot3"+s.name, "func(x, y, z []float32) float32", "returns sum(x*y*z).")
	p, n := slices("x", "y", "z")
	sums := s.sums()
	s.loop(n, p, unrolled, func(l lane) {
		x, y, z := l.load(p[0]), l.load(p[1]), l.load(p[2])
		VMULPS(x, y, y)
		VFMADD231PS(y, z, sums[l.unit])
	})
	giveBack(s.fold(combine(sums, VADDPS), VADDPS))
}

// dot64Kernel takes eight elements at a time in both sets: their float64 fill one wide register or two halves.
func dot64Kernel(s isa) {
	begin("dot64"+s.name, "func(x, y []float32) float64", "returns sum(x*y), computed in float64.")
	p, n := slices("x", "y")
	eight := isa{name: s.name, lanes: 8}
	sums := s.sums()
	eight.loop(n, p, 2, func(l lane) {
		x, y := s.doubles(l.load(p[0])), s.doubles(l.load(p[1]))
		for i := range x {
			VFMADD231PD(x[i], y[i], sums[2*l.unit+i])
		}
	})
	giveBack(s.fold64(combine(sums, VADDPD)))
}

// doubles are eight elements as float64.
func (s isa) doubles(x reg.VecVirtual) []reg.VecVirtual {
	low := s.vec()
	if s.wide() {
		VCVTPS2PD(x, low)
		return []reg.VecVirtual{low}
	}
	half, high := XMM(), s.vec()
	VCVTPS2PD(x.AsX(), low)
	VEXTRACTF128(U8(1), x, half)
	VCVTPS2PD(half, high)
	return []reg.VecVirtual{low, high}
}

// fold64 is the sum of the float64 lanes of v.
func (s isa) fold64(v reg.VecVirtual) reg.VecVirtual {
	y := v.AsY().(reg.VecVirtual)
	if s.wide() {
		y = YMM()
		VEXTRACTF64X4(U8(1), v, y)
		VADDPD(v.AsY(), y, y)
	}
	x, t := XMM(), XMM()
	VEXTRACTF128(U8(1), y, x)
	VADDPD(y.AsX(), x, x)
	VPERMILPD(U8(1), x, t)
	VADDPD(t, x, x)
	return x
}

func addKernel(s isa) {
	begin("add"+s.name, "func(z, x, y []float32)", "sets z = x+y.")
	p, n := slices("z", "x", "y")
	s.loop(n, p, unrolled, func(l lane) {
		x, y := l.load(p[1]), l.load(p[2])
		VADDPS(x, y, y)
		l.store(y, p[0])
	})
	end()
}

func mulKernel(s isa) {
	begin("mul"+s.name, "func(z, x, y []float32)", "sets z = x*y.")
	p, n := slices("z", "x", "y")
	s.loop(n, p, unrolled, func(l lane) {
		x, y := l.load(p[1]), l.load(p[2])
		VMULPS(x, y, y)
		l.store(y, p[0])
	})
	end()
}

func copyKernel(s isa) {
	begin("copy"+s.name, "func(y, x []float32)", "sets y = x.")
	p, n := slices("y", "x")
	s.loop(n, p, unrolled, func(l lane) { l.store(l.load(p[1]), p[0]) })
	end()
}

func fillKernel(s isa) {
	begin("fill"+s.name, "func(x []float32, value float32)", "sets each element to value.")
	p, n := slices("x")
	value := s.scalar("value")
	s.loop(n, p, unrolled, func(l lane) { l.store(value, p[0]) })
	end()
}

func scaleMulKernel(s isa) {
	begin("scaleMul"+s.name, "func(y, x, w []float32, alpha float32)", "sets y = alpha*x*w.")
	p, n := slices("y", "x", "w")
	alpha := s.scalar("alpha")
	s.loop(n, p, unrolled, func(l lane) {
		x, w := l.load(p[1]), l.load(p[2])
		VMULPS(alpha, x, x)
		VMULPS(w, x, x)
		l.store(x, p[0])
	})
	end()
}

func rmsNormGradKernel(s isa) {
	begin("rmsNormGrad"+s.name, "func(dx, dw, dy, x, w []float32, r, mean float32)",
		"adds r*(dy*w-h*mean) to dx and dy*h to dw, where h = x*r.")
	p, n := slices("dx", "dw", "dy", "x", "w")
	r, mean := s.scalar("r"), s.scalar("mean")
	s.loop(n, p, 2, func(l lane) {
		dx, dw, dy, h, w := l.load(p[0]), l.load(p[1]), l.load(p[2]), l.load(p[3]), l.load(p[4])
		VMULPS(r, h, h)
		VFMADD231PS(dy, h, dw)
		l.store(dw, p[1])
		VMULPS(dy, w, w)
		VFNMADD231PS(mean, h, w)
		VFMADD231PS(r, w, dx)
		l.store(dx, p[0])
	})
	end()
}

func rotateKernel(s isa) {
	begin("rotate"+s.name, "func(low, high, cos, sin []float32, sign float32)",
		"turns each pair (low, high) by the angle whose sine is sign*sin.")
	p, n := slices("low", "high", "cos", "sin")
	sign := s.scalar("sign")
	s.loop(n, p, 1, func(l lane) {
		low, high, c, z := l.load(p[0]), l.load(p[1]), l.load(p[2]), l.load(p[3])
		x, y := s.vec(), s.vec()
		VMULPS(sign, z, z)
		VMULPS(c, low, x)
		VFNMADD231PS(z, high, x)
		VMULPS(c, high, y)
		VFMADD231PS(z, low, y)
		l.store(x, p[0])
		l.store(y, p[1])
	})
	end()
}

func axpyKernel(s isa) {
	begin("axpy"+s.name, "func(y, x []float32, alpha float32)", "adds alpha*x to y.")
	p, n := slices("y", "x")
	alpha := s.scalar("alpha")
	s.loop(n, p, unrolled, func(l lane) {
		y, x := l.load(p[0]), l.load(p[1])
		VFMADD231PS(alpha, x, y)
		l.store(y, p[0])
	})
	end()
}

func scaleKernel(s isa) {
	begin("scale"+s.name, "func(x []float32, alpha float32)", "multiplies x by alpha.")
	p, n := slices("x")
	alpha := s.scalar("alpha")
	s.loop(n, p, unrolled, func(l lane) {
		x := l.load(p[0])
		VMULPS(alpha, x, x)
		l.store(x, p[0])
	})
	end()
}

func maxKernel(s isa) {
	begin("max"+s.name, "func(x []float32) float32", "returns the largest element.")
	p, n := slices("x")
	var tops []reg.VecVirtual
	for range unrolled {
		tops = append(tops, s.load(math.Inf(-1)))
	}
	s.loop(n, p, unrolled, func(l lane) { l.max(l.load(p[0]), tops[l.unit]) })
	giveBack(s.fold(combine(tops, VMAXPS), VMAXPS))
}

func expSumKernel(s isa) {
	begin("expSum"+s.name, "func(x []float32, scale, shift float32) float32",
		"sets x = exp(scale*x-shift) and returns its sum.")
	p, n := slices("x")
	s = s.keep(expWords)
	scale, shift := s.scalar("scale"), s.scalar("shift")
	sums := s.sums()
	s.loop(n, p, unrolled, func(l lane) {
		x := l.load(p[0])
		VFMSUB213PS(shift, scale, x)
		e := s.exp(x)
		l.store(e, p[0])
		l.add(e, sums[l.unit])
	})
	giveBack(s.fold(combine(sums, VADDPS), VADDPS))
}

func softmaxGradKernel(s isa) {
	begin("softmaxGrad"+s.name, "func(d, p []float32, mean, scale float32)", "sets d = p*(d-mean)*scale.")
	p, n := slices("d", "p")
	mean, scale := s.scalar("mean"), s.scalar("scale")
	s.loop(n, p, unrolled, func(l lane) {
		d, w := l.load(p[0]), l.load(p[1])
		VSUBPS(mean, d, d)
		VMULPS(scale, w, w)
		VMULPS(w, d, d)
		l.store(d, p[0])
	})
	end()
}
