package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// amxKernels are the kernels of products of pairs in tile registers: 16 rows of 64 bytes each, which hold 16x16 sums,
// 16 rows of A by 16 pairs, or 16 pairs by 16 columns of B.
func amxKernels() {
	sumTiles()
	storeSums()
}

// A tileMem is where a tile lies in memory: rows apart by what is in stride.
type tileMem struct {
	base, stride reg.GPPhysical
	disp         int
}

func (m tileMem) String() string {
	return fmt.Sprintf("%#x(%s)(%s*1)", m.disp, m.base.Asm(), m.stride.Asm())
}

// The instructions of tiles are in neither avo nor Go's assembler; t, a and b are numbers of tile registers.

func loadTile(m tileMem, t int) {
	emit(fmt.Sprintf("TILELOADD %v, T%d", m, t), vexMemory(prefixF2, 0x4b, t, m.base, m.stride, m.disp))
}

func storeTile(t int, m tileMem) {
	emit(fmt.Sprintf("TILESTORED T%d, %v", t, m), vexMemory(prefixF3, 0x4b, t, m.base, m.stride, m.disp))
}

func clearTile(t int) { emit(fmt.Sprintf("TILEZERO T%d", t), vexRegisters(prefixF2, 0x49, t, 0, 0)) }

// multiplyTiles is sum += a*b.
func multiplyTiles(a, b, sum int) {
	emit(fmt.Sprintf("TDPBF16PS T%d, T%d, T%d", b, a, sum), vexRegisters(prefixF3, 0x5c, sum, a, b))
}

// configureTiles reads 64 bytes.
func configureTiles(from reg.GPPhysical) {
	emit(fmt.Sprintf("LDTILECFG 0x0(%s)", from.Asm()), vexMemory(prefixNone, 0x49, 0, from, nil, 0))
}

// releaseTiles leaves the state that costs a switch of threads nothing.
func releaseTiles() { emit("TILERELEASE", vexRegisters(prefixNone, 0x49, 0, 0, 0)) }

func emit(instruction string, bytes []byte) {
	Comment(instruction)
	for _, b := range bytes {
		raw("BYTE", U8(b))
	}
}

// vexRegisters is an instruction of the opcode map 0F38 with W = 0 and L = 0 whose operands are the registers reg, rm
// and second, all below 8. The layout is that of the Intel Software Developer's Manual, volume 2, section "Intel AVX
// encoding"; fields marked ~ are stored inverted:
//
//	c4 | ~R ~X ~B m m m m m | W ~v ~v ~v ~v L p p | opcode | mod reg rm
//
// R reg is reg, v second, and B rm is rm.
func vexRegisters(pp, opcode, register, rm, second int) []byte {
	const direct = 3 << 6
	return []byte{0xc4, vexMap(0, 0, 0), vexPrefix(pp, second), byte(opcode), byte(direct | register<<3 | rm)}
}

// vexMemory has a memory operand in place of rm and no second one: a displacement of 32 bits from a base, and where
// index is not nil a register added, which tiles take as the distance of rows. Then follow
//
//	scale index base | displacement
//
// X index is index, and B base is base.
func vexMemory(pp, opcode, register int, base, index reg.GPPhysical, disp int) []byte {
	const far, sib, none = 2 << 6, 4, 4 // the stack pointer as an index stands for none
	b, i := int(base.PhysicalIndex()), none
	if index != nil {
		i = int(index.PhysicalIndex())
	}
	code := []byte{0xc4, vexMap(0, i>>3, b>>3), vexPrefix(pp, 0), byte(opcode), byte(far | register<<3 | sib),
		byte(i&7<<3 | b&7)}
	for shift := 0; shift < 32; shift += 8 {
		code = append(code, byte(disp>>shift))
	}
	return code
}

func vexMap(r, x, b int) byte {
	const map0F38 = 2
	return byte((1-r)<<7 | (1-x)<<6 | (1-b)<<5 | map0F38)
}

func vexPrefix(pp, second int) byte { return byte((15-second)<<3 | pp) }

// The shape of the kernel's work: two by two tiles of sums at a time, of a panel of 32 columns. One instruction takes
// stepPairs of K, and blockSteps of them pass all rows before the next do: so much of a panel stays in the first-level
// cache.
const (
	tileSide   = 16
	tileBytes  = 64
	stepPairs  = 16
	blockSteps = 8
	panelBytes = 2 * tileBytes
)

// The tile registers: four of sums, by rows, then two of A and two of B.
const (
	tilesA = 4
	tilesB = 6
)

// The registers of sumTiles have fixed names, which the instructions of tiles need.
var (
	leftPairs, stepsLeft = reg.RAX, reg.RCX // of K, and of a block of it
	leftA, rowA, rowStep = reg.R8, reg.RDX, reg.R9
	panelB, panelStep    = reg.R10, reg.R11
	sumsAt, rowsLeft     = reg.R12, reg.RSI
	wantedAt, wantedStep = reg.R13, reg.RDI
	atA, lowA, atB       = reg.RBX, reg.R14, reg.R15
)

// sumTiles is one call from the first tile to the last: nothing saves them when goroutines switch, and a thread that
// holds none switches faster.
func sumTiles() {
	begin("sumTiles", "func(pairs int, a []float32, rowStep int, b, sums []float32, m int, c []float32, ldc int, "+
		"next []float32)",
		"sets m rows of sums, 32 apart, to those of a product of A, rows of pairs rowStep apart, and B, a panel of 32 "+
			"columns. pairs is a multiple of 16. Rows of A and of sums up to the next multiple of 16 are read and written. "+
			"It asks for what is wanted after it: m rows of c, ldc apart, and next.")
	loadInto("pairs", leftPairs)
	loadInto("a", leftA)
	loadInto("b", panelB)
	loadInto("rowStep", rowStep)
	SHLQ(U8(2), rowStep)
	MOVQ(I32(panelBytes), panelStep)
	w := firstWanted()
	LEAQ(tileShapes(), atA)
	configureTiles(atA)
	Label("block")
	MOVQ(leftA, rowA)
	loadInto("sums", sumsAt)
	loadInto("m", rowsLeft)
	Label("rows")
	w.change()
	CMPQ(rowsLeft, I32(tileSide))
	JLE(LabelRef("few"))
	w.sumRows(2)
	SUBQ(I32(2*tileSide), rowsLeft)
	JG(LabelRef("rows"))
	JMP(LabelRef("next"))
	Label("few")
	w.sumRows(1)
	Label("next")
	ADDQ(I32(blockSteps*tileBytes), leftA)
	ADDQ(I32(blockSteps*tileSide*panelBytes), panelB)
	SUBQ(I32(blockSteps*stepPairs), leftPairs)
	JG(LabelRef("block"))
	releaseTiles()
	RET()
}

// loadInto loads a parameter, of a slice its address.
func loadInto(name string, to reg.GPPhysical) {
	p := Param(name)
	if _, err := p.Resolve(); err != nil {
		p = p.Base()
	}
	Load(p, to)
}

// tileShapes configures all tiles as whole ones, by palette 1: lengths of rows from byte 16 on, 16 bits each, and
// heights from byte 48 on.
func tileShapes() Mem {
	shapes := [64]byte{0: 1}
	for t := range 8 {
		shapes[16+2*t], shapes[48+t] = tileBytes, tileSide
	}
	m := GLOBL("tileShapes", RODATA|NOPTR)
	for i, b := range shapes {
		DATA(i, U8(b))
	}
	return m
}

// wanted is what the kernel asks the second-level cache for while it computes: rows of panelBytes until end, then those
// from next until last.
type wanted struct{ end, next, last Mem }

// wantedRows is how many are asked for in a step: enough to be done in time, too few to hold up the tiles.
const wantedRows = 2

func firstWanted() wanted {
	w := wanted{AllocLocal(8), AllocLocal(8), AllocLocal(8)}
	loadInto("ldc", wantedStep)
	SHLQ(U8(2), wantedStep)
	loadInto("c", wantedAt)
	loadInto("m", atA)
	IMULQ(wantedStep, atA)
	ADDQ(wantedAt, atA)
	MOVQ(atA, w.end)
	loadInto("next", atA)
	MOVQ(atA, w.next)
	Load(Param("next").Len(), atB)
	LEAQ(Mem{Base: atA, Index: atB, Scale: 4}, atA)
	MOVQ(atA, w.last)
	return w
}

// change goes on to what is next; at the end of that, to nothing.
func (w wanted) change() {
	CMPQ(wantedAt, w.end)
	JLT(LabelRef("wanted"))
	MOVQ(w.next, wantedAt)
	MOVQ(panelStep, wantedStep)
	MOVQ(w.last, atA)
	MOVQ(atA, w.end)
	MOVQ(atA, w.next)
	Label("wanted")
}

func (w wanted) ask(label string) {
	CMPQ(wantedAt, w.end)
	JGE(LabelRef(label + "asked"))
	for range wantedRows {
		PREFETCHT1(Mem{Base: wantedAt})
		PREFETCHT1(Mem{Base: wantedAt, Disp: tileBytes})
		ADDQ(wantedStep, wantedAt)
	}
	Label(label + "asked")
}

// sumRows adds a block of K to one or two tiles of rows, by two of columns; the first block begins with zero.
func (w wanted) sumRows(height int) {
	label := func(s string) string { return fmt.Sprintf("%s%d", s, height) }
	pairs, err := Param("pairs").Resolve()
	if err != nil {
		panic(err)
	}
	startSteps(label("count"))
	CMPQ(leftPairs, pairs.Addr)
	JNE(LabelRef(label("more")))
	eachSum(height, func(sum int, _ tileMem) { clearTile(sum) })
	JMP(LabelRef(label("step")))
	Label(label("more"))
	eachSum(height, func(sum int, m tileMem) { loadTile(m, sum) })
	Label(label("step"))
	sumStep(height)
	w.ask(label("step"))
	DECQ(stepsLeft)
	JNZ(LabelRef(label("step")))
	eachSum(height, func(sum int, m tileMem) { storeTile(sum, m) })
	ADDQ(I32(height*tileSide*panelBytes), sumsAt)
}

// startSteps sets the pointers for a block of K, and rowA to the rows after the lower ones.
func startSteps(label string) {
	MOVQ(rowA, atA)
	MOVQ(panelB, atB)
	MOVQ(rowStep, lowA)
	SHLQ(U8(4), lowA)
	ADDQ(lowA, rowA)
	ADDQ(rowA, lowA)
	XCHGQ(lowA, rowA)
	MOVQ(leftPairs, stepsLeft)
	SHRQ(U8(4), stepsLeft)
	CMPQ(stepsLeft, I32(blockSteps))
	JLE(LabelRef(label))
	MOVQ(I32(blockSteps), stepsLeft)
	Label(label)
}

// sumStep is one instruction for each tile of sums.
func sumStep(height int) {
	for j := range 2 {
		loadTile(tileMem{atB, panelStep, j * tileBytes}, tilesB+j)
	}
	for i, at := range []reg.GPPhysical{atA, lowA}[:height] {
		loadTile(tileMem{at, rowStep, 0}, tilesA+i)
		for j := range 2 {
			multiplyTiles(tilesA+i, tilesB+j, 2*i+j)
		}
		ADDQ(I32(tileBytes), at)
	}
	ADDQ(I32(tileSide*panelBytes), atB)
}

// eachSum is for every tile of sums, with its place in memory.
func eachSum(height int, f func(sum int, m tileMem)) {
	for i := range height {
		for j := range 2 {
			f(2*i+j, tileMem{sumsAt, panelStep, i*tileSide*panelBytes + j*tileBytes})
		}
	}
}

// storeSums is the end of a tile: one or two vectors of columns, the last under a mask.
func storeSums() {
	begin("storeSums", "func(c []float32, ldc int, sums []float32, m, n int, alpha float32, add bool)",
		"sets m rows of C, ldc apart, of n <= 32 columns, to alpha times the sums, whose rows are 32 apart, or adds that.")
	c, ldc, sums := base("c"), stride("ldc"), base("sums")
	m, n, add := integer("m"), integer("n"), GP64()
	alpha := ZMM()
	broadcast("alpha", alpha)
	MOVBQZX(Load(Param("add"), GP8()), add)
	CMPQ(n, I32(16))
	JG(LabelRef("two"))
	storeRows("one", 1, c, ldc, sums, m, n, add, alpha)
	Label("two")
	SUBQ(I32(16), n)
	storeRows("both", 2, c, ldc, sums, m, n, add, alpha)
}

// storeRows is for n columns in the last of the vectors.
func storeRows(label string, vectors int, c, ldc, sums, m, n, add reg.GPVirtual, alpha reg.VecVirtual) {
	KMOVW(firstBits(n).As32(), reg.K1)
	TESTQ(add, add)
	JNZ(LabelRef(label + "add"))
	for _, way := range []string{"set", "add"} {
		Label(label + way)
		for v := range vectors {
			storeSum(Mem{Base: sums, Disp: 64 * v}, Mem{Base: c, Disp: 64 * v}, alpha, v == vectors-1, way == "add")
		}
		ADDQ(I32(panelBytes), sums)
		ADDQ(ldc, c)
		DECQ(m)
		JNZ(LabelRef(label + way))
		end()
	}
}

// storeSum is C = alpha*sum, or C += alpha*sum, for a vector.
func storeSum(sum, c Mem, alpha reg.VecVirtual, masked, add bool) {
	r := ZMM()
	VMOVUPS(sum, r)
	switch {
	case add && masked:
		VFMADD213PS(c, alpha, reg.K1, r)
	case add:
		VFMADD213PS(c, alpha, r)
	default:
		VMULPS(alpha, r, r)
	}
	if masked {
		VMOVUPS(r, reg.K1, c)
	} else {
		VMOVUPS(r, c)
	}
}
