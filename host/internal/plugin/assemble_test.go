package plugin

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// A bareModule is a module put together by hand, so that it can break every rule. Its manifest is that of a scorer.
type bareModule struct {
	abi      int64         // what dp_abi_version returns
	arena    int64         // what dp_alloc returns
	run      []byte        // body of dp_run
	locals   []byte        // of dp_run, a type for each
	open     []byte        // body of dp_open, nil for none
	flush    []byte        // body of dp_flush, nil for none
	more     []function    // further functions, the first of them is function moreAt
	imports  []imported    // functions
	data     []byte        // at dataAt
	pages    uint64        // of memory
	start    bool          // whether there is a start section
	noRun    bool          // whether dp_run is missing
	params   byte          // how many parameters dp_alloc has
	sections []byte        // of the module, after the last
	manifest *sdk.Manifest // bareManifest when nil
}

// A function is a function of a module, by the number of its type.
type function struct {
	export string
	typ    byte
	locals []byte
	body   []byte
}

// An imported is a function that a module imports.
type imported struct {
	module, name string
	typ          byte
}

// The types of functions, by number.
const (
	toI32       = iota // () -> i32
	allocType          // (i32...) -> i32
	runType            // (i32, i32, i32) -> i64
	toNothing          // () -> ()
	openType           // (i32, i32) -> i32
	flushType          // (i32) -> i64
	modelType          // (i32, i32, i32, i32, i32) -> i32
	logType            // (i32, i32, i32) -> ()
	fdWriteType        // (i32, i32, i32, i32) -> i32
)

// dataAt is where a bare module's data lies, moreAt the number of the first of its further functions when it imports
// none.
const (
	dataAt = 1024
	moreAt = 3
)

// Instructions.
var (
	unreachable = []byte{0x00}
	end         = []byte{0x0b}
	leave       = []byte{0x0f} // return
	drop        = []byte{0x1a}
	load32      = []byte{0x28, 2, 0}
	load64      = []byte{0x29, 3, 0}
	store32     = []byte{0x36, 2, 0}
	store64     = []byte{0x37, 3, 0}
	memorySize  = []byte{0x3f, 0}
	memoryGrow  = []byte{0x40, 0}
	equal       = []byte{0x46}
	unequal     = []byte{0x47}
	atMost      = []byte{0x4c}
	add32       = []byte{0x6a}
	sub32       = []byte{0x6b}
	div32       = []byte{0x6d}
	shift32     = []byte{0x74} // left
	add64       = []byte{0x7c}
	or64        = []byte{0x84}
	shift64     = []byte{0x86} // left
	wrap        = []byte{0xa7} // i64 to i32
	extend      = []byte{0xad} // i32 to i64
	memoryCopy  = []byte{0xfc, 10, 0, 0}
	memoryFill  = []byte{0xfc, 11, 0}

	endless = []byte{0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00} // loop br 0 end, unreachable
)

// code joins instructions.
func code(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func op(code byte, numbers ...int64) []byte {
	b := []byte{code}
	for _, n := range numbers {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func get(local int64) []byte      { return op(0x20, local) }
func set(local int64) []byte      { return op(0x21, local) }
func call(function int64) []byte  { return op(0x10, function) }
func branchIf(label int64) []byte { return op(0x0d, label) }
func number(v int64) []byte       { return returns(false, v) }

// when does what follows if the i32 on the stack is not zero.
func when(parts ...[]byte) []byte { return code([]byte{0x04, 0x40}, code(parts...), end) }

// loop is a block that a branch out of its body begins again.
func loop(parts ...[]byte) []byte { return code([]byte{0x03, 0x40}, code(parts...), end) }

// packed is the i64 that says where an answer is: an i32 for its place, and its length.
func packed(place []byte, length []byte) []byte {
	return code(place, extend, returns(true, 32), shift64, length, extend, or64)
}

// returns is the body of a function that returns a constant.
func returns(i64 bool, v int64) []byte {
	op := byte(0x41)
	if i64 {
		op = 0x42
	}
	return append([]byte{op}, signed(v)...)
}

// signed is LEB128.
func signed(v int64) (b []byte) {
	for {
		low := byte(v & 0x7f)
		if v >>= 7; v == 0 && low&0x40 == 0 || v == -1 && low&0x40 != 0 {
			return append(b, low)
		}
		b = append(b, low|0x80)
	}
}

// vector is a count and the items.
func vector(items ...[]byte) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(items))), bytes.Join(items, nil)...)
}

func sized(b []byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(b))), b...) }

func named(name string, b ...byte) []byte { return append(sized([]byte(name)), b...) }

// assemble returns the module.
func (m bareModule) assemble() []byte {
	out := bytes.Clone(wasmHeader)
	part := func(id byte, items ...[]byte) { out = append(append(out, id), sized(vector(items...))...) }
	functions := m.functions()
	part(1, m.types()...)
	imports, numbers, exports, bodies := [][]byte{}, [][]byte{}, [][]byte{named("memory", 2, 0)}, [][]byte{}
	for _, i := range m.imports {
		imports = append(imports, append(named(i.module), named(i.name, 0, i.typ)...))
	}
	for i, f := range functions {
		numbers = append(numbers, []byte{f.typ})
		bodies = append(bodies, f.encoded())
		if f.export != "" {
			exports = append(exports, named(f.export, op(0, int64(len(imports)+i))...))
		}
	}
	part(2, imports...)
	part(3, numbers...)
	part(5, binary.AppendUvarint([]byte{0}, m.pages))
	part(7, exports...)
	if m.start {
		out = append(out, 8, 1, byte(len(imports)))
	}
	part(10, bodies...)
	part(11, append(append(append([]byte{0}, returns(false, dataAt)...), 0x0b), sized(m.data)...))
	return append(out, m.sections...)
}

// functions are those of the contract that the module has, then the others.
func (m bareModule) functions() []function {
	all := []function{
		{"dp_abi_version", toI32, nil, returns(false, m.abi)}, {"dp_alloc", allocType, nil, returns(false, m.arena)},
		{"dp_run", runType, m.locals, m.run},
	}
	if m.noRun {
		all[2].export = ""
	}
	all = append(all, m.more...)
	if m.open != nil {
		all = append(all, function{"dp_open", openType, nil, m.open})
	}
	if m.flush != nil {
		all = append(all, function{"dp_flush", flushType, nil, m.flush})
	}
	if m.start {
		all = append([]function{{"", toNothing, nil, nil}}, all...)
	}
	return all
}

func (m bareModule) types() [][]byte {
	const i32, i64 = 0x7f, 0x7e
	signature := func(params []byte, results ...byte) []byte {
		return append(append([]byte{0x60}, sized(params)...), sized(results)...)
	}
	return [][]byte{
		toI32: signature(nil, i32), allocType: signature(bytes.Repeat([]byte{i32}, int(m.params)), i32),
		runType: signature([]byte{i32, i32, i32}, i64), toNothing: signature(nil),
		openType: signature([]byte{i32, i32}, i32), flushType: signature([]byte{i32}, i64),
		modelType: signature([]byte{i32, i32, i32, i32, i32}, i32),
		logType:   signature([]byte{i32, i32, i32}), fdWriteType: signature([]byte{i32, i32, i32, i32}, i32),
	}
}

// encoded is the function's body as the module holds it.
func (f function) encoded() []byte {
	locals := make([][]byte, len(f.locals))
	for i, t := range f.locals {
		locals[i] = []byte{1, t}
	}
	return sized(append(append(vector(locals...), f.body...), 0x0b))
}

var bareManifest = sdk.Manifest{
	ABI: sdk.ABI, Name: "bare", Version: "1", Kinds: []sdk.Kind{sdk.KindScorer}, Purity: sdk.Pure,
	Scores: []sdk.ScoreInfo{{Name: "length"}},
}

// textOnly is the manifest of a bare module that wants the text of documents only.
func textOnly() *sdk.Manifest {
	m := bareManifest
	m.Columns = []string{"text"}
	return &m
}

// honest is a module that is in order and answers every request with the frame.
func honest(frame []byte) bareModule {
	return bareModule{
		abi: sdk.ABI << 16, arena: 4 << 16, pages: 8, params: 1, data: frame,
		run: returns(true, dataAt<<32|int64(len(frame))),
	}
}

// file writes the module, with a manifest, into a folder of the test.
func (m bareModule) file(t testing.TB) string {
	t.Helper()
	manifest := bareManifest
	if m.manifest != nil {
		manifest = *m.manifest
	}
	packed, err := Pack(m.assemble(), mustJSON(t, manifest))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bare.wasm")
	if err := os.WriteFile(path, packed, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// ratingsFrame is a sound answer to batch 0 of rows documents.
func ratingsFrame(t testing.TB, rows int, value float64) []byte {
	t.Helper()
	tables, err := wire.NewTables(&bareManifest)
	if err != nil {
		t.Fatal(err)
	}
	ratings := make([]sdk.Rating, rows)
	for i := range ratings {
		ratings[i].Scores = map[string]float64{"length": value}
	}
	frame, err := tables.EncodeRatings(new(wire.Builder), 0, ratings)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// changed is a frame with one byte set.
func changed(frame []byte, at int, to byte) []byte {
	frame = bytes.Clone(frame)
	frame[at] = to
	return frame
}

var nan = math.NaN()
