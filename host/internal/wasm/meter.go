package wasm

// A meter writes a function's code with what counts fuel and depth in it.
//
// While a function runs, the fuel is in a local, where the engine keeps it in a register. It is in the global whenever
// other code may look: while a function is called, while yield is called, and after the end. A call that traps leaves
// the global as it was at the last of these.
type meter struct {
	yield       uint32 // function
	fuel, depth uint32 // globals
	left        uint32 // local, i64: fuel
	amount      uint32 // local, i32: operand of an operation on many bytes, or the depth for a moment
	answer      uint32 // local, i32: what growing answers, or the second operand of an operation on many bytes
	place       uint32 // local, i32: the first operand of an operation on many bytes
	unchecked   bool   // the function has no local for fuel
	out         []byte
}

// number is where a function has moved to.
func (t *meter) number(f int64) uint32 {
	if uint32(f) >= t.yield {
		return uint32(f) + 1
	}
	return uint32(f)
}

// function writes the code of a body that was walked. It is put in a block of the given type, to which it returns.
func (t *meter) function(b *body, block int64) {
	t.out = t.out[:0]
	if t.unchecked = b.unchecked(); t.unchecked {
		t.declare(b, 0)
	} else {
		t.declare(b, 2, 1, typeI64, 3, typeI32)
		t.enter(b, block)
	}
	at := b.code.start
	for _, e := range b.edits {
		t.out = append(t.out, b.data[at:e.at]...)
		t.edit(e, b)
		at = e.end
	}
	t.out = append(t.out, b.data[at:b.code.end]...)
	if !t.unchecked {
		t.exit(b)
	}
	t.out = append(t.out, opEnd)
}

// declare copies the groups of locals, and adds some.
func (t *meter) declare(b *body, groups int, added ...byte) {
	t.left, t.amount, t.answer, t.place = uint32(b.locals), uint32(b.locals+1), uint32(b.locals+2), uint32(b.locals+3)
	t.out = appendU32(t.out, uint32(b.groups+groups))
	t.out = append(t.out, b.data[b.declared.start:b.declared.end]...)
	t.out = append(t.out, added...)
}

func (t *meter) enter(b *body, block int64) {
	if b.calls {
		t.descend(b.depthCost())
	}
	t.load()
	t.out = appendSigned(append(t.out, opBlock), block)
}

func (t *meter) exit(b *body) {
	t.out = append(t.out, opEnd)
	t.save()
	if b.calls {
		t.ascend(b.depthCost())
	}
}

func (t *meter) edit(e edit, b *body) {
	switch e.kind {
	case editFunction:
		t.out = appendU32(t.out, t.number(e.value))
	case editCharge:
		t.charge(e.cost)
	case editCheck:
		t.check()
		t.charge(e.cost)
	case editBranch:
		t.branch(e, 0)
	case editBranchIf:
		t.branchIf(e)
	case editElse:
		if e.cost != 0 {
			t.out = append(t.out, opElse)
			t.charge(e.cost)
		}
	case editSave:
		t.save()
	case editLoad:
		t.load()
	case editReturn:
		t.leave(e.value)
	case editBytes:
		t.bytes(e.value)
	case editPieces:
		t.pieces(b.data[e.at:e.end], e.value)
	case editGrow:
		t.grow(b.data[e.at:e.end], e.value)
	}
}

// op writes an opcode and a number.
func (t *meter) op(code byte, number uint32) { t.out = appendU32(append(t.out, code), number) }

func (t *meter) load() {
	t.op(opGlobalGet, t.fuel)
	t.op(opLocalSet, t.left)
}

func (t *meter) save() {
	t.op(opLocalGet, t.left)
	t.op(opGlobalSet, t.fuel)
}

// charge takes a sum from the fuel. The engine has no subtraction of negative constants.
func (t *meter) charge(cost int64) {
	if cost == 0 {
		return
	}
	get, set, at := byte(opLocalGet), byte(opLocalSet), t.left
	if t.unchecked {
		get, set, at = opGlobalGet, opGlobalSet, t.fuel
	}
	t.op(get, at)
	if cost > 0 {
		t.out = append(appendSigned(append(t.out, opI64Const), cost), opI64Sub)
	} else {
		t.out = append(appendSigned(append(t.out, opI64Const), -cost), opI64Add)
	}
	t.op(set, at)
}

// check yields if the fuel is below zero. The way that does not yield comes first, since the engine's allocation of
// registers goes on from the first way: the other way round, loops take up to 1.3 times as long.
func (t *meter) check() {
	if t.unchecked {
		return
	}
	t.op(opLocalGet, t.left)
	t.out = append(t.out, opI64Const, 0, opI64GeS, opIf, blockEmpty, opElse)
	t.save()
	t.op(opCall, t.yield)
	t.load()
	t.out = append(t.out, opEnd)
}

// branch writes a branch out of so many more blocks than the code has. One that yields does so if the fuel is below
// zero, and is there twice, since two ways that meet would cost more.
func (t *meter) branch(e edit, blocks uint32) {
	label := uint32(e.value) + blocks
	if e.yields {
		t.op(opLocalGet, t.left)
		t.out = append(t.out, opI64Const, 0, opI64GeS, opIf, blockEmpty)
		t.op(opBr, label+1)
		t.out = append(t.out, opEnd)
		t.save()
		t.op(opCall, t.yield)
		t.load()
	}
	t.op(opBr, label)
}

// branchIf writes a branch on a condition, which pays if it is taken. It is an if also where nothing is paid: for that
// the engine compares and branches in one, for br_if often not.
func (t *meter) branchIf(e edit) {
	t.out = append(t.out, opIf, blockEmpty)
	t.charge(e.cost)
	t.branch(e, 1)
	t.out = append(t.out, opEnd)
}

// leave writes a return.
func (t *meter) leave(label int64) {
	if t.unchecked {
		t.out = append(t.out, opReturn)
	} else {
		t.op(opBr, uint32(label))
	}
}

// descend takes a cost from the depth, and traps if that is too much.
func (t *meter) descend(cost int64) {
	t.op(opGlobalGet, t.depth)
	t.out = appendSigned(append(t.out, opI32Const), cost)
	t.out = append(t.out, opI32Sub)
	t.op(opLocalTee, t.amount)
	t.op(opGlobalSet, t.depth)
	t.op(opLocalGet, t.amount)
	t.out = append(t.out, opI32Const, 0, opI32LtS, opIf, blockEmpty, opUnreachable, opEnd)
}

// ascend gives the cost back.
func (t *meter) ascend(cost int64) {
	t.op(opGlobalGet, t.depth)
	t.out = appendSigned(append(t.out, opI32Const), cost)
	t.out = append(t.out, opI32Add)
	t.op(opGlobalSet, t.depth)
}

// bytes charges for the amount on the stack, which stays there.
func (t *meter) bytes(shift int64) {
	t.op(opLocalTee, t.amount)
	t.op(opLocalGet, t.left)
	t.op(opLocalGet, t.amount)
	t.out = append(t.out, opI64ExtendU, opI64Const, byte(shift), opI64ShrU, opI64Sub)
	t.op(opLocalSet, t.left)
	t.check()
}

// grow writes an operation, and charges for its last operand if it does not answer -1.
func (t *meter) grow(operation []byte, shift int64) {
	t.op(opLocalTee, t.amount)
	t.out = append(t.out, operation...)
	t.op(opLocalTee, t.answer)
	t.op(opLocalGet, t.left)
	t.op(opLocalGet, t.amount)
	t.out = append(t.out, opI64ExtendU, opI64Const, byte(shift), opI64Shl)
	t.op(opLocalGet, t.answer)
	t.out = append(t.out, opI32Const, 0x7f, opI32Ne, opI64ExtendU, opI64Mul, opI64Sub)
	t.op(opLocalSet, t.left)
	t.check()
}
