// Package wasm rewrites WebAssembly modules so that they can be run within limits that do not depend on the machine:
// every instruction costs fuel, calls have a greatest depth, and the state outside of memory can be saved and restored.
//
// The rewritten module has three more exports and one import. The host sets the globals before each call, and saves and
// restores the others as it likes:
//
//   - FuelGlobal, an i64: the fuel that is left. Code takes from it what it costs. Where it finds less than nothing, at
//     a function's entry, in each round of a loop, between many calls and before an operation on many bytes, it calls
//     YieldModule.YieldName, in which the host puts more there, or ends the call by a panic.
//   - DepthGlobal, an i32: how many calls may still be nested. A call too many traps with the global below zero.
//   - Instrumented.Globals: the mutable globals of the module.
//
// The fuel that a call uses is the same on every machine, and however the host cuts it in slices: it is the number of
// the instructions that ran (see cost.go for what counts), and nothing that the code does depends on the fuel that is
// left but whether it yields. That holds for calls that return, and for those that the host ends in yield: a call is
// ended at the first check at which it has used more than its budget, wherever the slices were cut: at each check the
// fuel taken is what ran until there. Of a call that traps, the global says what was used up to the last call or check
// of the function that trapped.
//
// The rewritten module has no names and nothing else that the engine would have to read without bounds: what was given
// to Instrument should never be given to the engine.
package wasm

import "slices"

// Names of the rewritten module.
const (
	FuelGlobal  = ownPrefix + "fuel"
	DepthGlobal = ownPrefix + "depth"
	YieldModule = "carebot"
	YieldName   = "yield"

	ownPrefix = "carebot."
)

// Instrumented is a module after its rewriting.
type Instrumented struct {
	Code    []byte
	Globals []string // exports of the mutable globals; fuel and depth are not among them
	Lasting bool     // it may change tables or drop segments, which nobody but itself can undo
}

// Imports returns what a module imports, each once, as MODULE.NAME, sorted.
func Imports(code []byte) ([]string, error) {
	m, err := parse(code)
	if err != nil {
		return nil, err
	}
	slices.Sort(m.imports)
	return slices.Compact(m.imports), nil
}

// Instrument checks a module and rewrites it. The same module gives the same bytes.
func Instrument(code []byte) (*Instrumented, error) {
	m, err := parse(code)
	if err != nil {
		return nil, err
	}
	return newRewriter(m).rewrite()
}
