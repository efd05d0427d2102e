package wasm

// An edit says what the rewriting does at one place of the module.
type edit struct {
	kind    editKind
	at, end int   // what it replaces
	value   int64 // by kind
}

type editKind byte

const (
	editFunction editKind = iota // the number of a function, value, moves
	editCharge                   // the straight-line part that begins here costs value
	editCheck                    // the same, and it is a place to yield
	editSave                     // a call follows: it must know the fuel
	editLoad                     // a call has ended
	editReturn                   // return becomes a branch to the label value
	editBytes                    // an operation costs one for so many bytes (log 2: value) on the stack
	editPieces                   // the operation on memory with opcode value is done in pieces that cost so
	editGrow                     // the same, if the operation does not answer -1
)
