package wasm

// An edit says what the rewriting does at one place of the module.
type edit struct {
	kind     editKind
	yields   bool  // a branch is a place to yield
	at, end  int   // what it replaces
	value    int64 // by kind
	from, to int   // nodes, of those that pay: it is on the way from one to the other, from nowhere for a cut
	cost     int64 // that it pays
}

type editKind byte

const (
	editFunction editKind = iota // the number of a function, value, moves
	editCharge                   // a node begins
	editCheck                    // the same, and it is a place to yield
	editBranch                   // a branch to the label value
	editBranchIf                 // the same on a condition
	editElse                     // an if ends that has no second part
	editSave                     // a call follows: it must know the fuel
	editLoad                     // a call has ended
	editReturn                   // return becomes a branch to the label value
	editBytes                    // an operation costs one for so many bytes (log 2: value) on the stack
	editPieces                   // the operation on memory with opcode value is done in pieces that cost so
	editGrow                     // the same, if the operation does not answer -1
)

// pays says whether edits of a kind have a cost.
func (k editKind) pays() bool { return editCharge <= k && k <= editElse }
