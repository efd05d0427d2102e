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
	abi    int64  // what dp_abi_version returns
	arena  int64  // what dp_alloc returns
	run    []byte // body of dp_run
	data   []byte // at dataAt
	pages  byte   // of memory
	start  bool   // whether there is a start section
	env    bool   // whether env.abort is imported
	noRun  bool   // whether dp_run is missing
	params byte   // how many parameters dp_alloc has
}

const dataAt = 1024

// Instructions.
var (
	unreachable = []byte{0x00}
	endless     = []byte{0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00} // loop br 0 end, unreachable
)

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
	alloc := append([]byte{0x60}, vector(bytes.Split(bytes.Repeat([]byte{0x7f}, int(m.params)), nil)...)...)
	run := []byte{0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7e}
	part(1, []byte{0x60, 0, 1, 0x7f}, append(alloc, 1, 0x7f), run, []byte{0x60, 0, 0})
	first := byte(0)
	if m.env {
		part(2, append(named("env"), named("abort", 0, 3)...))
		first = 1
	}
	part(3, []byte{0}, []byte{1}, []byte{2}, []byte{3})
	part(5, []byte{0, m.pages})
	exports := [][]byte{named("memory", 2, 0), named("dp_abi_version", 0, first), named("dp_alloc", 0, first+1)}
	if !m.noRun {
		exports = append(exports, named("dp_run", 0, first+2))
	}
	part(7, exports...)
	if m.start {
		out = append(out, 8, 1, first+3)
	}
	body := func(code []byte) []byte { return sized(append(append([]byte{0}, code...), 0x0b)) }
	part(10, body(returns(false, m.abi)), body(returns(false, m.arena)), body(m.run), body(nil))
	part(11, append(append(append([]byte{0}, returns(false, dataAt)...), 0x0b), sized(m.data)...))
	return out
}

var bareManifest = sdk.Manifest{
	ABI: sdk.ABI, Name: "bare", Version: "1", Kinds: []sdk.Kind{sdk.KindScorer}, Purity: sdk.Pure,
	Scores: []sdk.ScoreInfo{{Name: "length"}},
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
	packed, err := Pack(m.assemble(), mustJSON(t, bareManifest))
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
