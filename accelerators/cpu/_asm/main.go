// Command asm generates the assembly of package cpu; go generate in that package runs it. It is a module of its own
// so that users of the package do not depend on avo, which writes the part for amd64.
package main

import (
	"log"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("amd64,!purego")
	pauseKernel()
	cpuidKernel()
	stripsKernel()
	transposeAVX2()
	transposeAVX512()
	tileAVX2()
	tileAVX512()
	narrowAVX512()
	for _, s := range []isa{avx2, avx512} {
		rowKernels(s)
		attentionKernels(s)
		fewKernel(s)
		streamKernels(s.streaming())
		unpackNF4(s)
	}
	widenKernels()
	adamwBF16Kernel()
	adamw8Kernel()
	bf16Kernels()
	amxKernels()
	Generate()
	if err := neonKernels(); err != nil {
		log.Fatal(err)
	}
}

// begin starts a function whose slice arguments the compiler may keep on the stack.
func begin(name, signature, doc string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + " " + doc)
}

func end() {
	VZEROUPPER()
	RET()
}

func pauseKernel() {
	TEXT("pause", NOSPLIT, "func()")
	Doc("pause is a moment's rest within a spin loop: the processor's other thread gets the core.")
	PAUSE()
	RET()
}

func cpuidKernel() {
	TEXT("cpuid", NOSPLIT, "func(leaf, sub uint32) (a, b, c, d uint32)")
	Doc("cpuid asks the processor about itself.")
	Load(Param("leaf"), reg.EAX)
	Load(Param("sub"), reg.ECX)
	CPUID()
	for i, r := range []reg.Register{reg.EAX, reg.EBX, reg.ECX, reg.EDX} {
		Store(r, ReturnIndex(i))
	}
	RET()
}
