package wasm

// A body is the walk over the code of one function, and what it found. It is used for one function after the other.
type body struct {
	reader
	m        *module
	declared span // the groups of locals
	code     span // what follows them, without the end
	typ      funcType
	groups   int  // of declared locals
	locals   int  // parameters included
	op       byte // of the instruction, and of the one before it
	before   byte
	calls    bool
	lasting  bool   // a body so far changes tables or drops segments
	edits    []edit // in the order of the code; the first is the function's entry
	flow
}

// walk reads the body of a function: the i-th that the module defines.
func (b *body) walk(i int) {
	at := b.m.bodies[i]
	b.reader = reader{data: b.m.code, at: at.start, end: at.end}
	b.typ = b.m.types[b.m.functions[b.m.imported.functions+i]]
	b.calls, b.edits = false, b.edits[:0]
	b.declarations()
	b.declared.end = b.at
	b.code = span{b.at, b.end - 1}
	b.begin()
	for b.err == nil && len(b.frames) > 0 {
		b.instruction()
	}
	if b.err == nil && b.more() {
		b.fail("code after the function's end")
	}
	if b.err == nil {
		b.settle()
	}
}

func (b *body) declarations() {
	b.locals = len(b.typ.params)
	b.groups = b.count("groups of locals", maxLocals)
	b.declared.start = b.at
	for range b.groups {
		n := b.u32()
		if b.valueType(); b.err != nil {
			return
		}
		if n > uint32(maxLocals-b.locals) {
			b.fail("more than %d locals", maxLocals)
			return
		}
		b.locals += int(n)
	}
}

// instruction reads one instruction, charges for it, and notes what must change.
func (b *body) instruction() {
	at := b.at
	b.before, b.op = b.op, b.byte()
	op := b.op
	switch shapes[op] {
	case plain:
		b.plain(op, at)
	case block:
		t := b.blockType(b.m.types)
		if op == opLoop {
			b.open(op, len(t.params))
		} else {
			b.open(op, len(t.results))
		}
	case target:
		b.branch(op, at)
	case targets:
		b.table()
	case callee:
		b.callee(op, at)
	case prefixFC:
		b.bulkOperation(at)
	case prefixFD:
		b.vector(at)
	case unknown:
		b.unknown(at, uint32(op))
	default:
		b.pay(1)
		b.immediate(shapes[op])
		b.lasting = b.lasting || op == opTableSet
		if op == opMemoryGrow {
			b.long(edit{kind: editGrow, at: at, end: b.at, value: pageShift - byteShift})
		}
		if op == opCallIndirect {
			b.call(at)
		}
	}
}

// immediate reads what follows an opcode that has no influence on the flow of control.
func (b *body) immediate(s shape) {
	switch s {
	case local:
		b.index("local", b.locals)
	case global:
		b.index("global", b.m.globals)
	case signature:
		b.index("type", len(b.m.types))
		b.u32()
	case memarg:
		b.u32()
		b.u32()
	case memargLane:
		b.u32()
		b.u32()
		b.byte()
	case i32Const:
		b.signed(32)
	case i64Const:
		b.signed(64)
	case f32Const:
		b.bytes(4)
	case f64Const:
		b.bytes(8)
	case sixteen:
		b.bytes(16)
	case lane, zero:
		b.byte()
	case selectTypes:
		b.valueTypes("types of a select")
	case refType:
		b.referenceType()
	case tableIndex, data, element:
		b.u32()
	case twoZeros, twoTables, elementTable, dataZero:
		b.u32()
		b.u32()
	}
}

func (b *body) plain(op byte, at int) {
	switch op {
	case opElse:
		b.otherwise()
	case opEnd:
		b.close()
	case opReturn:
		b.pay(1)
		b.note(edit{kind: editReturn, at: at, end: b.at, value: int64(len(b.frames) - 1)})
		b.lead(exitNode)
	case opUnreachable:
		b.pay(1)
		b.node = nowhere
	case opNop:
	default:
		b.pay(1)
	}
}

// callee reads a function's number, which moves also where it is never reached.
func (b *body) callee(op byte, at int) {
	b.pay(1)
	number := b.at
	f := b.index("function", len(b.m.functions))
	move := edit{kind: editFunction, at: number, end: b.at, value: int64(f)}
	if op == opRefFunc {
		b.edits = append(b.edits, move)
	} else {
		b.call(at, move)
	}
}

// call notes a call whose instruction begins at a place, and what else must change in it.
func (b *body) call(at int, inside ...edit) {
	b.calls = true
	b.edits = append(b.edits, edit{kind: editSave, at: at, end: at})
	b.edits = append(b.edits, inside...)
	b.edits = append(b.edits, edit{kind: editLoad, at: b.at, end: b.at})
	b.called()
}

// called ends a way behind a call. What was called may be small.
func (b *body) called() {
	if b.node == nowhere {
		return
	}
	b.nodes[b.node].gap += maxUnchecked
	if b.nodes[b.node].gap < maxGap {
		b.cut(editCharge)
		return
	}
	b.cut(editCheck)
	b.nodes[b.node].gap = 0
}

func (b *body) vector(at int) {
	op := b.u32()
	if op >= uint32(len(shapesFD)) || shapesFD[op] == unknown {
		b.unknown(at, opFD, op)
		return
	}
	b.pay(1)
	b.immediate(shapesFD[op])
}

// bulkOperation reads an operation after 0xfc. Those that take time in proportion to their last operand cost so.
func (b *body) bulkOperation(at int) {
	op := b.u32()
	if op >= uint32(len(shapesFC)) {
		b.unknown(at, opFC, op)
		return
	}
	b.pay(1)
	b.immediate(shapesFC[op])
	b.lasting = b.lasting || op == fcDataDrop || op >= fcTableInit && op != fcTableSize
	switch op {
	case fcMemoryInit, fcMemoryCopy, fcMemoryFill:
		b.long(edit{kind: editPieces, at: at, end: b.at, value: int64(op)})
	case fcTableInit, fcTableCopy, fcTableFill:
		b.long(edit{kind: editBytes, at: at, end: at})
	case fcTableGrow:
		b.long(edit{kind: editGrow, at: at, end: b.at})
	}
}

// note keeps an edit of code that can be reached.
func (b *body) note(e edit) {
	if b.node != nowhere {
		b.edits = append(b.edits, e)
	}
}

// long notes an operation in which the code may yield, and with which a way ends.
func (b *body) long(e edit) {
	if b.node != nowhere {
		b.edits = append(b.edits, e)
		b.cut(editCharge)
	}
}

// unknown refuses an opcode, which may have a prefix.
func (b *body) unknown(at int, opcode ...uint32) {
	b.at = at
	feature := "not known"
	if name := proposals[opcode[0]]; name != "" {
		feature = "not supported: " + name
	}
	b.fail("opcode %#02x is %s", opcode, feature)
}
