package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// adamwFactors are the constants of a step in the order of those in adamw.go.
type adamwFactors struct{ gradScale, beta1, keep1, beta2, keep2, root, eps, rate, decay reg.VecVirtual }

func (s isa) adamwFactors() adamwFactors {
	var f adamwFactors
	constants := Load(Param("c"), GP64())
	for i, c := range []*reg.VecVirtual{
		&f.gradScale, &f.beta1, &f.keep1, &f.beta2, &f.keep2, &f.root, &f.eps, &f.rate, &f.decay,
	} {
		*c = s.vec()
		VBROADCASTSS(Mem{Base: constants, Disp: 4 * i}, *c)
	}
	return f
}

// average takes the gradient g, which it overwrites, into the moments.
func (f *adamwFactors) average(g, m, v reg.VecVirtual, s isa) {
	VMULPS(f.gradScale, g, g)
	VMULPS(f.beta1, m, m)
	VFMADD231PS(f.keep1, g, m)
	VMULPS(f.beta2, v, v)
	kept := s.vec()
	VMULPS(f.keep2, g, kept) // g*g itself might be infinite
	VFMADD231PS(kept, g, v)
}

// update makes the step of the weights x. It overwrites the moments.
func (f *adamwFactors) update(x, m, v reg.VecVirtual) {
	VSQRTPS(v, v)
	VFMADD213PS(f.eps, f.root, v)
	VMULPS(f.rate, m, m)
	VDIVPS(v, m, m)
	VFMSUB213PS(m, f.decay, x)
}

func adamwKernel(s isa) {
	begin("adamw"+s.name, "func(param, grad, m, v []float32, c *[9]float32)", "is one step of AdamW.")
	p, n := slices("param", "grad", "m", "v")
	f := s.adamwFactors()
	s.loop(n, p, 1, func(l lane) {
		g, m, v, x := l.load(p[1]), l.load(p[2]), l.load(p[3]), l.load(p[0])
		f.average(g, m, v, s)
		l.store(m, p[2])
		l.store(v, p[3])
		f.update(x, m, v)
		l.store(x, p[0])
	})
	end()
}

const counterStep = 0x9e3779b9

// adamwBF16Kernel works on a vector at a time.
func adamwBF16Kernel() {
	s := avx512
	begin("adamwBF16AVX512", "func(param, grad []float32, m, v []uint16, c *[9]float32, key uint32)",
		"is one step of AdamW on moments in bfloat16; 16 divides the length.")
	p, n := slices("param", "grad", "m", "v")
	f := s.adamwFactors()
	counter, ahead := s.vec(), s.vec()
	VPBROADCASTD(Load(Param("key"), GP32()), counter)
	VPADDD(counters(), counter, counter)
	VMOVDQU32(word(uint32(counterStep*16&0xffffffff)), ahead)
	JMP(LabelRef("test"))
	Label("vector")
	g, x, m, v := s.vec(), s.vec(), widened(p[2]), widened(p[3])
	VMOVUPS(Mem{Base: p[1]}, g)
	VMOVUPS(Mem{Base: p[0]}, x)
	f.average(g, m, v, s)
	random, low := scrambled(counter), s.vec()
	VPADDD(ahead, counter, counter)
	VPANDD(word(0xffff), random, low)
	VPSRLD(U8(16), random, random)
	cut(m, low, p[2])
	cut(v, random, p[3])
	f.update(x, m, v)
	VMOVUPS(x, Mem{Base: p[0]})
	for i, q := range p {
		ADDQ(I32([]uint32{64, 64, 32, 32}[i]), q)
	}
	SUBQ(I32(16), n)
	Label("test")
	TESTQ(n, n)
	JNZ(LabelRef("vector"))
	end()
}

// counters are what lie before the counters of the elements of a vector.
func counters() Mem {
	m := GLOBL("counters", RODATA|NOPTR)
	step := uint32(counterStep)
	for i := range uint32(16) {
		DATA(4*int(i), U32(i*step))
	}
	return m
}

func widened(from reg.Register) reg.VecVirtual {
	x := ZMM()
	VPMOVZXWD(Mem{Base: from}, x)
	VPSLLD(U8(16), x, x)
	return x
}

// cut stores the upper halves of x after adding the random bits, which it overwrites.
func cut(x, random reg.VecVirtual, to reg.Register) {
	VPADDD(x, random, random)
	VPSRLD(U8(16), random, random)
	VPMOVDW(random, Mem{Base: to})
}

// scrambled is the function of that name in adamw_bf16.go.
func scrambled(counter reg.VecVirtual) reg.VecVirtual {
	x, t := ZMM(), ZMM()
	VPSRLD(U8(16), counter, x)
	VPXORD(counter, x, x)
	VPMULLD(word(0x85ebca6b), x, x)
	VPSRLD(U8(13), x, t)
	VPXORD(t, x, x)
	VPMULLD(word(0xc2b2ae35), x, x)
	VPSRLD(U8(16), x, t)
	VPXORD(t, x, x)
	return x
}
