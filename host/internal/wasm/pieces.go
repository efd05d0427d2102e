package wasm

// pieceBytes is how much of a memory is filled or copied at once: the engine cannot be interrupted meanwhile.
const pieceBytes = 1 << 20

// pieces writes an operation on memory, whose operands are on the stack, so that it is done piece by piece, each paid
// for before it is done. One that traps may have done some pieces before.
func (t *meter) pieces(operation []byte, op int64) {
	t.op(opLocalSet, t.amount)
	t.op(opLocalSet, t.answer)
	t.op(opLocalSet, t.place)
	t.out = append(t.out, opBlock, blockEmpty, opLoop, blockEmpty)
	t.op(opLocalGet, t.amount)
	t.constant(pieceBytes)
	t.out = append(t.out, opI32LeU, opBrIf, 1)
	t.charge(pieceBytes >> byteShift)
	t.check()
	t.piece(operation, op)
	t.advance(t.amount, opI32Sub)
	t.out = append(t.out, opBr, 0, opEnd, opEnd)
	t.op(opLocalGet, t.place)
	t.op(opLocalGet, t.answer)
	t.op(opLocalGet, t.amount)
	t.bytes(byteShift)
	t.out = append(t.out, operation...)
}

// piece does one piece, the first that is left; the last when bytes are copied upwards, where what is copied may lie
// over what it is copied to.
func (t *meter) piece(operation []byte, op int64) {
	if op == fcMemoryCopy {
		t.op(opLocalGet, t.place)
		t.op(opLocalGet, t.answer)
		t.out = append(t.out, opI32GtU, opIf, blockEmpty)
		t.lastStart(t.place)
		t.lastStart(t.answer)
		t.constant(pieceBytes)
		t.out = append(append(t.out, operation...), opElse)
	}
	t.op(opLocalGet, t.place)
	t.op(opLocalGet, t.answer)
	t.constant(pieceBytes)
	t.out = append(t.out, operation...)
	t.advance(t.place, opI32Add)
	if op != fcMemoryFill {
		t.advance(t.answer, opI32Add)
	}
	if op == fcMemoryCopy {
		t.out = append(t.out, opEnd)
	}
}

// lastStart puts on the stack where the last piece of what begins at a local begins.
func (t *meter) lastStart(local uint32) {
	t.op(opLocalGet, local)
	t.op(opLocalGet, t.amount)
	t.constant(pieceBytes)
	t.out = append(t.out, opI32Sub, opI32Add)
}

// advance moves a local by one piece.
func (t *meter) advance(local uint32, direction byte) {
	t.op(opLocalGet, local)
	t.constant(pieceBytes)
	t.out = append(t.out, direction)
	t.op(opLocalSet, local)
}

func (t *meter) constant(v int64) { t.out = appendSigned(append(t.out, opI32Const), v) }
