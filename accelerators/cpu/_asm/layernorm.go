package main

import (
	. "github.com/mmcloughlin/avo/build"
)

func layerNormKernels(s isa) {
	sumKernel(s)
	squaresKernel(s)
	centredSumsKernel(s)
	layerNormKernel(s)
	layerNormGradKernel(s)
}

func sumKernel(s isa) {
	begin("sum"+s.name, "func(x []float32) float32", "returns sum(x).")
	p, n := slices("x")
	sums := s.sums()
	s.loop(n, p, unrolled, func(l lane) {
		x := l.load(p[0])
		VADDPS(x, sums[l.unit], sums[l.unit])
	})
	giveBack(s.fold(combine(sums, VADDPS), VADDPS))
}

func squaresKernel(s isa) {
	begin("squares"+s.name, "func(x []float32, mean float32) float32", "returns sum((x-mean)^2).")
	p, n := slices("x")
	mean := s.scalar("mean")
	sums := s.sums()
	s.loop(n, p, unrolled, func(l lane) {
		x := l.load(p[0])
		VSUBPS(mean, x, x)
		VMULPS(x, x, x)
		l.add(x, sums[l.unit])
	})
	giveBack(s.fold(combine(sums, VADDPS), VADDPS))
}

func centredSumsKernel(s isa) {
	begin("centredSums"+s.name, "func(x, y, z []float32, mean float32) (sum, inner float32)",
		"returns sum(y*z) and sum((x-mean)*y*z).")
	p, n := slices("x", "y", "z")
	mean := s.scalar("mean")
	sums, inner := s.sums(), s.sums()
	s.loop(n, p, unrolled, func(l lane) {
		x, y, z := l.load(p[0]), l.load(p[1]), l.load(p[2])
		VMULPS(y, z, z)
		VADDPS(z, sums[l.unit], sums[l.unit])
		VSUBPS(mean, x, x)
		VFMADD231PS(x, z, inner[l.unit]) // z is zero in the lanes that are not there
	})
	giveBack(s.fold(combine(sums, VADDPS), VADDPS), s.fold(combine(inner, VADDPS), VADDPS))
}

func layerNormKernel(s isa) {
	begin("layerNorm"+s.name, "func(y, x, w, b []float32, mean, r float32)", "sets y = (x-mean)*r*w + b.")
	p, n := slices("y", "x", "w", "b")
	mean, r := s.scalar("mean"), s.scalar("r")
	s.loop(n, p, 2, func(l lane) {
		x, w, b := l.load(p[1]), l.load(p[2]), l.load(p[3])
		VSUBPS(mean, x, x)
		VMULPS(r, x, x)
		VFMADD231PS(x, w, b)
		l.store(b, p[0])
	})
	end()
}

func layerNormGradKernel(s isa) {
	begin("layerNormGrad"+s.name, "func(dx, dw, db, dy, x, w []float32, mean, r, sum, inner float32)",
		"adds r*(dy*w-sum-h*inner) to dx, dy*h to dw and dy to db, where h = (x-mean)*r.")
	p, n := slices("dx", "dw", "db", "dy", "x", "w")
	mean, r, sum, inner := s.scalar("mean"), s.scalar("r"), s.scalar("sum"), s.scalar("inner")
	s.loop(n, p, 1, func(l lane) {
		dy, h, w := l.load(p[3]), l.load(p[4]), l.load(p[5])
		VSUBPS(mean, h, h)
		VMULPS(r, h, h)
		db := l.load(p[2])
		VADDPS(dy, db, db)
		l.store(db, p[2])
		dw := l.load(p[1])
		VFMADD231PS(dy, h, dw)
		l.store(dw, p[1])
		VFMSUB213PS(sum, dy, w)
		VFNMADD231PS(inner, h, w)
		dx := l.load(p[0])
		VFMADD231PS(r, w, dx)
		l.store(dx, p[0])
	})
	end()
}
