package main

import (
	"fmt"
	"math"
	"strings"
)

// vreg and xreg are a vector register and a general register, by number.
type (
	vreg int
	xreg int
)

func (v vreg) String() string { return fmt.Sprintf("V%d", int(v)) }

func (x xreg) String() string { return fmt.Sprintf("R%d", int(x)) }

// scratchRegister is for single instructions. The registers below it are free in every assembly function.
const scratchRegister xreg = 17

// An element is one of the four lanes of a register.
type element struct {
	v    vreg
	lane int
}

func (e element) String() string { return fmt.Sprintf("%v.S[%d]", e.v, e.lane) }

// A vectorOp is an instruction on four lanes. Go's assembler knows few of those that compute with floats, so all
// arithmetic is encoded here: registers add to bits at 0 (destination), 5 and 16 (operands in the order of Arm's
// manual, A64 SIMD and floating-point instructions).
type vectorOp struct {
	name string
	bits uint32
}

var (
	fadd   = vectorOp{"FADD", 0x4e20d400}
	fsub   = vectorOp{"FSUB", 0x4ea0d400}
	fmul   = vectorOp{"FMUL", 0x6e20dc00}
	fdiv   = vectorOp{"FDIV", 0x6e20fc00}
	fmla   = vectorOp{"FMLA", 0x4e20cc00}  // d += n*m, fused
	fmls   = vectorOp{"FMLS", 0x4ea0cc00}  // d -= n*m, fused
	fmax   = vectorOp{"FMAX", 0x4e20f400}  // NaN if either is
	fmin   = vectorOp{"FMIN", 0x4ea0f400}  // likewise
	faddp  = vectorOp{"FADDP", 0x6e20d400} // sums of neighbours, of n's and then of m's
	fcmgt  = vectorOp{"FCMGT", 0x6ea0e400} // all bits where n > m
	fneg   = vectorOp{"FNEG", 0x6ea0f800}
	fabs   = vectorOp{"FABS", 0x4ea0f800}
	fsqrt  = vectorOp{"FSQRT", 0x6ea1f800}
	frintn = vectorOp{"FRINTN", 0x4e218800} // to the nearest integer, halves to even
	fcvtns = vectorOp{"FCVTNS", 0x4e21a800} // the same, as an int32
	fmaxv  = vectorOp{"FMAXV", 0x6e30f800}  // of all lanes, into lane 0
	add    = vectorOp{"ADD", 0x4ea08400}
	sub    = vectorOp{"SUB", 0x6ea08400}
	bic    = vectorOp{"BIC", 0x4e601c00} // n without the bits of m
	bit    = vectorOp{"BIT", 0x6ea01c00} // d takes the bits of n that are set in m
	bsl    = vectorOp{"BSL", 0x6e601c00} // n where d has bits, else m

	fmulElement = vectorOp{"FMUL", 0x4f809000}
	fmlaElement = vectorOp{"FMLA", 0x4f801000}
	fmlsElement = vectorOp{"FMLS", 0x4f805000}
)

// Instructions on two float64; fcvtl reads the lower half of its operand, fcvtl2 the upper.
var (
	fadd64  = vectorOp{"FADD.2D", 0x4e60d400}
	fmla64  = vectorOp{"FMLA.2D", 0x4e60cc00}
	faddp64 = vectorOp{"FADDP.2D", 0x6e60d400}
	fcvtl   = vectorOp{"FCVTL", 0x0e617800}
	fcvtl2  = vectorOp{"FCVTL2", 0x4e617800}
)

// do emits an instruction, the destination first.
func (p *neonFunction) do(op vectorOp, regs ...vreg) {
	bits, names := op.bits, []string(nil)
	for i, at := range []int{0, 5, 16}[:len(regs)] {
		bits |= uint32(regs[i]) << at
		names = append(names, regs[i].String())
	}
	p.word(bits, "%s %s", op.name, strings.Join(names, ", "))
}

// doElement emits an instruction whose last operand is one lane, for all lanes of the others.
func (p *neonFunction) doElement(op vectorOp, d, n vreg, m element) {
	lane := uint32(m.lane&1)<<21 | uint32(m.lane>>1)<<11
	p.word(op.bits|lane|uint32(d)|uint32(n)<<5|uint32(m.v)<<16, "%s %v.4S, %v.4S, %v", op.name, d, n, m)
}

// shiftRight shifts an int32, keeping its sign.
func (p *neonFunction) shiftRight(d, n vreg, by uint32) {
	const sshr = 0x4f000400
	p.word(sshr|(64-by)<<16|uint32(d)|uint32(n)<<5, "SSHR %v.4S, %v.4S, #%d", d, n, by)
}

func (p *neonFunction) word(bits uint32, comment string, args ...any) {
	p.emit("WORD $0x%08x // "+comment, append([]any{bits}, args...)...)
}

// zero clears a register.
func (p *neonFunction) zero(v vreg) { p.emit("VEOR %v.B16, %v.B16, %v.B16", v, v, v) }

// move copies a register.
func (p *neonFunction) move(to, from vreg) { p.emit("VORR %v.B16, %v.B16, %v.B16", from, from, to) }

// spread puts an element into all lanes.
func (p *neonFunction) spread(to vreg, e element) { p.emit("VDUP %v, %v.S4", e, to) }

// constant is an element with the value, set before the function's first instruction.
func (p *neonFunction) constant(x float64) element { return p.bits(math.Float32bits(float32(x))) }

func (p *neonFunction) bits(b uint32) element {
	i := 0
	for i < len(p.constants) && p.constants[i] != b {
		i++
	}
	if i == len(p.constants) {
		p.constants = append(p.constants, b)
		if int(p.constantRegister()) < p.vectors {
			panic(p.name + ": out of vector registers")
		}
	}
	return element{vreg(31 - i/4), i % 4}
}

// lanes is a register with the value in all lanes.
func (p *neonFunction) lanes(x float64) vreg {
	v := p.v()
	p.spread(v, p.constant(x))
	return v
}

// loadConstants is the text that sets the registers of constants.
func (p *neonFunction) loadConstants() string {
	var text strings.Builder
	for i, b := range p.constants {
		fmt.Fprintf(&text, "\tMOVD $0x%08x, %v\n", b, scratchRegister)
		fmt.Fprintf(&text, "\tVMOV %v, %v\n", scratchRegister, element{vreg(31 - i/4), i % 4})
	}
	return text.String()
}
