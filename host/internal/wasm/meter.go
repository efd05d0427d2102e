package wasm

// A meter writes a function's code with what counts fuel and depth in it.
type meter struct {
	yield       uint32 // function
	fuel, depth uint32 // globals
	left        uint32 // local, i64: fuel for a moment
	amount      uint32 // local, i32: operand of an operation on many bytes, or the depth for a moment
	answer      uint32 // local, i32: what growing answers
	out         []byte
}

// number is where a function has moved to.
func (t *meter) number(f int64) uint32 {
	if uint32(f) >= t.yield {
		return uint32(f) + 1
	}
	return uint32(f)
}

// function writes the code of a body that was walked.
func (t *meter) function(b *body, blockType func(results []byte) int64) {
	t.out = t.out[:0]
	t.declarations(b)
	if b.calls {
		t.enter(b.depthCost())
		t.out = appendSigned(append(t.out, opBlock), blockType(b.typ.results))
	}
	at := b.code.start
	for _, e := range b.edits {
		t.out = append(t.out, b.data[at:e.at]...)
		t.edit(e, b)
		at = e.end
	}
	t.out = append(t.out, b.data[at:b.code.end]...)
	if b.calls {
		t.out = append(t.out, opEnd)
		t.exit(b.depthCost())
	}
	t.out = append(t.out, opEnd)
}

// declarations copies those of the locals, and adds those of the meter.
func (t *meter) declarations(b *body) {
	t.left, t.amount, t.answer = uint32(b.locals), uint32(b.locals+1), uint32(b.locals+2)
	t.out = appendU32(t.out, uint32(b.groups+2))
	t.out = append(t.out, b.data[b.declared.start:b.declared.end]...)
	t.out = append(t.out, 1, typeI64, 2, typeI32)
}

func (t *meter) edit(e edit, b *body) {
	switch e.kind {
	case editFunction:
		t.out = appendU32(t.out, t.number(e.value))
	case editCharge:
		if e.value > 0 {
			t.charge(e.value)
		}
	case editCheck:
		t.charge(e.value)
		t.check()
	case editReturn:
		if !b.calls {
			t.out = append(t.out, opReturn)
			break
		}
		t.out = appendU32(append(t.out, opBr), uint32(e.value))
	case editBytes:
		t.bytes(e.value)
	case editGrow:
		t.grow(b.data[e.at:e.end], e.value)
	}
}

// op writes an opcode and a number.
func (t *meter) op(code byte, number uint32) { t.out = appendU32(append(t.out, code), number) }

// charge takes a sum from the fuel.
func (t *meter) charge(cost int64) {
	t.op(opGlobalGet, t.fuel)
	t.out = appendSigned(append(t.out, opI64Const), cost)
	t.pay()
}

// pay takes the i64 on the stack from the fuel below it.
func (t *meter) pay() {
	t.out = append(t.out, opI64Sub)
	t.op(opLocalTee, t.left)
	t.op(opGlobalSet, t.fuel)
}

// check yields if what was left after the last payment is below zero.
func (t *meter) check() {
	t.op(opLocalGet, t.left)
	t.out = append(t.out, opI64Const, 0, opI64LtS, opIf, blockEmpty)
	t.op(opCall, t.yield)
	t.out = append(t.out, opEnd)
}

// enter takes a cost from the depth, and traps if that is too much.
func (t *meter) enter(cost int64) {
	t.op(opGlobalGet, t.depth)
	t.out = appendSigned(append(t.out, opI32Const), cost)
	t.out = append(t.out, opI32Sub)
	t.op(opLocalTee, t.amount)
	t.op(opGlobalSet, t.depth)
	t.op(opLocalGet, t.amount)
	t.out = append(t.out, opI32Const, 0, opI32LtS, opIf, blockEmpty, opUnreachable, opEnd)
}

// exit gives the cost back.
func (t *meter) exit(cost int64) {
	t.op(opGlobalGet, t.depth)
	t.out = appendSigned(append(t.out, opI32Const), cost)
	t.out = append(t.out, opI32Add)
	t.op(opGlobalSet, t.depth)
}

// bytes charges for the amount on the stack, which stays there.
func (t *meter) bytes(shift int64) {
	t.op(opLocalTee, t.amount)
	t.op(opGlobalGet, t.fuel)
	t.op(opLocalGet, t.amount)
	t.out = append(t.out, opI64ExtendU, opI64Const, byte(shift), opI64ShrU)
	t.pay()
	t.check()
}

// grow writes an operation, and charges for its last operand if it does not answer -1.
func (t *meter) grow(operation []byte, shift int64) {
	t.op(opLocalTee, t.amount)
	t.out = append(t.out, operation...)
	t.op(opLocalTee, t.answer)
	t.op(opGlobalGet, t.fuel)
	t.op(opLocalGet, t.amount)
	t.out = append(t.out, opI64ExtendU, opI64Const, byte(shift), opI64Shl)
	t.op(opLocalGet, t.answer)
	t.out = append(t.out, opI32Const, 0x7f, opI32Ne, opI64ExtendU, opI64Mul)
	t.pay()
	t.check()
}
