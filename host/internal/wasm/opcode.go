package wasm

// A shape is what follows an opcode.
type shape byte

const (
	unknown shape = iota
	plain         // nothing
	block         // a block type
	target        // a label
	targets       // labels: br_table
	local
	global
	tableIndex
	callee    // a function: call, ref.func
	signature // a type and a table: call_indirect
	memarg    // alignment and offset
	zero      // a byte that must be 0: the only memory
	twoZeros
	i32Const
	i64Const
	f32Const
	f64Const
	selectTypes
	refType
	prefixFC
	prefixFD
	dataZero // a segment of data and a 0: memory.init
	data
	elementTable // a segment of elements and a table: table.init
	element
	twoTables
	sixteen    // bytes: v128.const, shuffle
	lane       // a byte
	memargLane // memarg and a byte
)

// Opcodes that the walk looks at.
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableSet     = 0x26
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Ne        = 0x47
	opI32LtS       = 0x48
	opI32GtU       = 0x4b
	opI32LeU       = 0x4d
	opI64GeS       = 0x59
	opI32Add       = 0x6a
	opI32Sub       = 0x6b
	opI64Add       = 0x7c
	opI64Sub       = 0x7d
	opI64Mul       = 0x7e
	opI64Shl       = 0x86
	opI64ShrU      = 0x88
	opI64ExtendU   = 0xad
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opFC           = 0xfc
	opFD           = 0xfd
)

// Opcodes after the prefix 0xfc.
const (
	fcMemoryInit = 8
	fcDataDrop   = 9
	fcMemoryCopy = 10
	fcMemoryFill = 11
	fcTableInit  = 12
	fcTableCopy  = 14
	fcTableGrow  = 15
	fcTableSize  = 16
	fcTableFill  = 17
)

// fdV128Const is v128.const after the prefix 0xfd.
const fdV128Const = 12

// shapes of the opcodes of one byte; shapesFC and shapesFD of those after a prefix.
var (
	shapes   = oneByteShapes()
	shapesFC = [...]shape{plain, plain, plain, plain, plain, plain, plain, plain, // saturating truncations
		dataZero, data, twoZeros, zero, elementTable, element, twoTables, tableIndex, tableIndex, tableIndex}
	shapesFD = vectorShapes()
)

func oneByteShapes() (s [256]shape) {
	fill := func(first, last int, is shape) {
		for op := first; op <= last; op++ {
			s[op] = is
		}
	}
	fill(0x00, 0x01, plain)
	fill(opBlock, opIf, block)
	s[opElse], s[opEnd], s[opReturn] = plain, plain, plain
	fill(opBr, opBrIf, target)
	s[opBrTable], s[opCall], s[opCallIndirect] = targets, callee, signature
	fill(0x1a, 0x1b, plain) // drop, select
	s[0x1c] = selectTypes
	fill(opLocalGet, opLocalTee, local)
	fill(opGlobalGet, opGlobalSet, global)
	fill(0x25, 0x26, tableIndex)
	fill(0x28, 0x3e, memarg)
	fill(0x3f, opMemoryGrow, zero)
	s[opI32Const], s[opI64Const], s[opF32Const], s[opF64Const] = i32Const, i64Const, f32Const, f64Const
	fill(0x45, 0xc4, plain) // arithmetic
	s[opRefNull], s[0xd1], s[opRefFunc] = refType, plain, callee
	s[opFC], s[opFD] = prefixFC, prefixFD
	return s
}

func vectorShapes() (s [256]shape) {
	for op := range s {
		switch {
		case op <= 11 || op == 92 || op == 93:
			s[op] = memarg
		case op <= 13:
			s[op] = sixteen
		case op >= 21 && op <= 34:
			s[op] = lane
		case op >= 84 && op <= 91:
			s[op] = memargLane
		default:
			s[op] = plain
		}
	}
	for _, gap := range "\u009a\u00a2\u00a5\u00a6\u00af\u00b0\u00b2\u00b3\u00b4\u00bb" +
		"\u00c2\u00c5\u00c6\u00cf\u00d0\u00d2\u00d3\u00d4\u00e2\u00ee" {
		s[gap] = unknown
	}
	return s
}

// proposals are the opcodes that belong to features which are not supported.
var proposals = map[uint32]string{
	0x06: "try, exception handling", 0x07: "catch, exception handling", 0x08: "throw, exception handling",
	0x09: "rethrow, exception handling", 0x0a: "throw_ref, exception handling",
	0x12: "return_call, tail calls", 0x13: "return_call_indirect, tail calls", 0x14: "call_ref, function references",
	0x15: "return_call_ref, function references", 0x18: "delegate, exception handling",
	0x19: "catch_all, exception handling", 0x1f: "try_table, exception handling",
	0xfb: "garbage collection", 0xfe: "threads",
}
