package wasm

// The largest module that is read. Everything in it is bounded, since the engine's compiler has no bounds of its own.
const (
	maxModule   = 32 << 20 // bytes
	maxBody     = 8 << 20  // bytes of a function
	maxTypes    = 1 << 16
	maxParams   = 1000 // of a type, results as well
	maxImports  = 1 << 12
	maxFuncs    = 100_000
	maxTables   = 16
	maxGlobals  = 1 << 12
	maxExports  = 1 << 16
	maxSegments = 100_000 // of data, and of elements
	maxTable    = 1 << 20 // elements of all tables together, and of a segment
	maxLocals   = 50_000  // of a function, parameters included
	maxNesting  = 1 << 14 // of blocks
	maxTargets  = 1 << 16 // of a br_table
	maxName     = 1 << 16 // bytes
)
