// Package wire is the binary contract dp1 between host and plugins: frames, which carry batches of records and answers
// in columns, and Serve, which turns a package that has registered a plugin into a WebAssembly module or a process. A
// plugin's main is
//
//	func main() { wire.Serve() }
//
// and the module is built with GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared.
//
// A module exports dp_abi_version, dp_alloc, dp_open, dp_run, dp_flush and dp_error and imports log, model_loglik,
// model_score and model_embed of the module dp1; a process serves dp1.proto. Both carry the same frames. Scores,
// rewards and parts travel as float32, what models answer as float64.
//
// A frame (little endian, offsets from its start, multiples of 8) is a header of 32 bytes, a directory of 24 bytes for
// each column, and data:
//
//	header     magic "DPF1" u32 | version u16 | kind u16 | rows u32 | columns u16 | flags u16 | length u32 |
//	           reserved u32 | batch u64
//	directory  column u16 | type u8 | flags u8 (1 nullable, 2 child) | child rows u32 | data u32 |
//	           data length u32 | offsets u32 | validity u32
//
// Types: 1 u8, 2 u16, 3 u32, 4 i64, 5 f32, 6 f64, 7 bytes (n+1 offsets into the data), 8 list (n+1 offsets into the
// child columns, whose rows are child rows). Validity is a bit for each row, lowest first.
package wire
