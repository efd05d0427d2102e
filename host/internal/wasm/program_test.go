package wasm_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// sized puts the length before bytes.
func sized(b ...byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(b))), b...) }

// section is a section of the binary format.
func section(id byte, content ...byte) []byte { return append([]byte{id}, sized(content...)...) }

func module(sections ...[]byte) []byte {
	return slices.Concat(append([][]byte{[]byte("\x00asm\x01\x00\x00\x00")}, sections...)...)
}

// program is a module of functions () -> (), each given by its code without the end; "f" is the last of them.
func program(bodies ...string) []byte {
	n := byte(len(bodies))
	code := []byte{n}
	for _, b := range bodies {
		code = append(code, sized(slices.Concat([]byte{0}, []byte(b), []byte{0x0b})...)...)
	}
	return module(section(1, 1, 0x60, 0, 0), section(3, append([]byte{n}, make([]byte, n)...)...),
		section(5, 1, 0, 1), section(7, 1, 1, 'f', 0, n-1), section(10, code...))
}

const (
	endless   = "\x03\x40\x0c\x00\x0b"                                             // loop br 0 end
	recursion = "\x10\x00"                                                         // call 0
	filling   = "\x03\x40\x41\x00\x41\x00\x41\xff\xff\x03\xfc\x0b\x00\x0c\x00\x0b" // loop memory.fill of a page, br 0
)

// doubling is 2^40 calls without a loop.
func doubling() []string {
	bodies := []string{"\x01"}
	for i := range byte(40) {
		bodies = append(bodies, strings.Repeat("\x10"+string(rune(i)), 2))
	}
	return bodies
}

func TestCodeThatNeverEndsIsEnded(t *testing.T) {
	for name, code := range map[string][]byte{
		"endless loop":   program(endless),
		"doubling calls": program(doubling()...),
		"filling memory": program(filling),
	} {
		k := &tank{slice: 100_000, budget: 10_000_000}
		m := load(t, newRuntime(t, k), instrument(t, code))
		start := time.Now()
		_, used, err := k.call(t, m, 1000, "f")
		if !errors.Is(err, errFuel) {
			t.Errorf("%s: %v", name, err)
		}
		if used < k.budget || used > k.budget+100_000 || k.yields < 90 {
			t.Errorf("%s: used %d of %d in %d slices", name, used, k.budget, k.yields)
		}
		t.Logf("%s: %d instructions in %v", name, used, time.Since(start))
	}
}

// Small functions do not yield themselves.
func TestManyCallsOfASmallFunctionAreEnded(t *testing.T) {
	k := &tank{slice: enough, budget: 1_000_000}
	small := strings.Repeat("\x41\x00\x1a", 100) // i32.const 0, drop
	m := load(t, newRuntime(t, k), instrument(t, program(small, strings.Repeat("\x10\x00", 50_000))))
	_, used, err := k.call(t, m, 1000, "f")
	if !errors.Is(err, errFuel) || used > k.budget+400_000 {
		t.Errorf("used %d of %d, %v", used, k.budget, err)
	}
}

// A branch away from the likeliest way gets back what was paid for it.
func TestEveryWayCostsWhatItRuns(t *testing.T) {
	k := &tank{slice: 3, budget: enough}
	const rest = "\x01\x41\x00\x1a" // nop, i32.const 0, drop
	for code, want := range map[string]int64{
		"\x02\x40\x41\x00\x0d\x00" + rest + "\x0b" + rest:                     2 + 2 + 2, // not taken
		"\x02\x40\x41\x01\x0d\x00" + rest + "\x0b" + rest:                     2 + 2,     // taken
		"\x41\x00\x04\x40" + rest + rest + "\x0b" + rest:                      2 + 2,     // if without else
		"\x41\x00\x04\x40" + rest + rest + "\x05" + rest + "\x0b" + rest:      2 + 2 + 2, // else
		"\x02\x40\x03\x40\x41\x01\x0d\x01" + rest + "\x0c\x00\x0b\x0b" + rest: 2 + 2,     // out of a loop
		"\x41\x01\x04\x40\x0f\x0b" + rest:                                     3,         // if return
	} {
		m := load(t, newRuntime(t, k), instrument(t, program(code)))
		if _, used, err := k.call(t, m, 1000, "f"); err != nil || used != want {
			t.Errorf("%q: used %d instead of %d, %v", code, used, want, err)
		}
	}
}

func TestRecursionEndsByDepth(t *testing.T) {
	k := &tank{slice: enough, budget: enough}
	m := load(t, newRuntime(t, k), instrument(t, program(recursion)))
	_, used, err := k.call(t, m, 1000, "f")
	if !strings.Contains(kind(err), "unreachable") || int32(m.ExportedGlobal(wasm.DepthGlobal).Get()) != -1 {
		t.Errorf("depth %d, %v", int32(m.ExportedGlobal(wasm.DepthGlobal).Get()), err)
	}
	if used != 1000 {
		t.Errorf("%d calls were made", used)
	}
}

// A call uses the same fuel however it is cut in slices, and takes back the depth that it used.
func TestSlicesDoNotChangeTheFuel(t *testing.T) {
	k := &tank{budget: enough}
	m := load(t, newRuntime(t, k), instrument(t, guestCode))
	for _, c := range guestCalls {
		var uses []int64
		for _, k.slice = range []int64{1, 2, 1000, 123_457, enough} {
			writeText(t, m)
			_, used, err := k.call(t, m, 1000, c.name, c.args...)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if depth := m.ExportedGlobal(wasm.DepthGlobal).Get(); depth != 1000 {
				t.Errorf("%s: depth %d afterwards", c.name, depth)
			}
			uses = append(uses, used)
		}
		if uses[0] <= 0 || slices.Max(uses) != slices.Min(uses) {
			t.Errorf("%s: fuel %v", c.name, uses)
		}
	}
}

// A budget ends a call exactly if the call needs more.
func TestTheBudgetIsExact(t *testing.T) {
	k := &tank{slice: 1000, budget: enough}
	m := load(t, newRuntime(t, k), instrument(t, guestCode))
	_, used, err := k.call(t, m, 1000, "fibonacci", 12)
	if err != nil {
		t.Fatal(err)
	}
	k.budget = used
	if _, _, err := k.call(t, m, 1000, "fibonacci", 12); err != nil {
		t.Errorf("with what it needs: %v", err)
	}
	k.budget = used / 2
	for _, k.slice = range []int64{1, 777, enough} {
		if _, _, err := k.call(t, m, 1000, "fibonacci", 12); !errors.Is(err, errFuel) {
			t.Errorf("with half of what it needs, in slices of %d: %v", k.slice, err)
		}
	}
}

// The sums were counted by hand.
func TestEachInstructionCostsOne(t *testing.T) {
	k := &tank{slice: 5, budget: enough}
	m := load(t, newRuntime(t, k), instrument(t, featuresCode))
	for name, want := range map[string]int64{
		"pair":   4 + 1 + 3,
		"dead":   1 + 1 + 5,
		"vector": 13,
		"bulk":   4 + 1 + 4 + 4 + 5000/16 + 3 + 4096 + 3 + 4,
		"tables": 4 + 1 + 1 + 4 + 2 + 4 + 2 + 3 + 5,
		"trap":   1,
	} {
		_, used, err := k.call(t, m, 1000, name)
		if used != want || (err != nil) != (name == "trap") {
			t.Errorf("%s: %d instead of %d, %v", name, used, want, err)
		}
	}
}

func TestLongOperationsCostByLength(t *testing.T) {
	k := &tank{slice: enough, budget: enough}
	m := load(t, newRuntime(t, k), instrument(t, guestCode))
	short, long := int64(0), int64(0)
	for n, used := range map[uint64]*int64{160: &short, 48_160: &long} {
		var err error
		if _, *used, err = k.call(t, m, 1000, "copy", n); err != nil {
			t.Fatal(err)
		}
	}
	if long-short != 48_000/16 {
		t.Errorf("48000 bytes more cost %d more", long-short)
	}
}

func TestGrowingCostsWhatIsNew(t *testing.T) {
	grow := func(pages byte) string { return "\x41" + string(rune(pages)) + "\x40\x00\x1a" } // memory.grow, drop
	k := &tank{slice: enough, budget: enough}
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(20)
	for pages, want := range map[byte]int64{0: 3, 2: 3 + 2*4096, 40: 3} {
		m := load(t, configured(t, config, k), instrument(t, program(grow(pages))))
		if _, used, err := k.call(t, m, 1000, "f"); err != nil || used != want {
			t.Errorf("%d pages cost %d instead of %d, %v", pages, used, want, err)
		}
	}
}

// The engine would let a table grow to 32 GB.
func TestTablesGrowToABound(t *testing.T) {
	grow := func(n ...byte) string { return "\xd0\x70\x41" + string(n) + "\xfc\x0f\x00\x1a" } // ref.null, n, table.grow
	size := "\xfc\x10\x00\x41\x05\x6b\x04\x40\x00\x0b"                                        // if table.size - 5 unreachable
	k := &tank{slice: enough, budget: enough}
	code := withTable(grow(5) + grow(0xff, 0xff, 0xff, 0x07) + size) // 2^24-1
	m := load(t, newRuntime(t, k), instrument(t, code))
	if _, used, err := k.call(t, m, 1000, "f"); err != nil || used != 4+5+4+4 {
		t.Errorf("used %d, %v", used, err)
	}
}

// withTable is a program of one function that has a table.
func withTable(body string) []byte {
	code := program(body)
	at := bytes.Index(code, section(5, 1, 0, 1))
	return slices.Concat(code[:at], section(4, 1, 0x70, 0, 0), code[at:])
}

func TestGlobalsAreExported(t *testing.T) {
	out, err := wasm.Instrument(guestCode)
	if err != nil {
		t.Fatal(err)
	}
	m := load(t, newRuntime(t, new(tank)), out.Code)
	if len(out.Globals) != 1 || m.ExportedGlobal(out.Globals[0]).Get() != 1<<16 {
		t.Errorf("globals %v", out.Globals)
	}
}

func TestTheManifestStaysAndOtherCustomSectionsGo(t *testing.T) {
	custom := func(name, content string) []byte { return section(0, append(sized([]byte(name)...), content...)...) }
	code := append(program("\x01"), custom("dp.manifest", "{}")...)
	names := "\x01\x06\xff\xff\xff\xff\x0f\x00" // of 2^32-1 functions, for which the engine would ask for 100 GB
	out := instrument(t, append(code, custom("name", names)...))
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithCustomSections(true))
	defer r.Close(context.Background())
	m, err := r.CompileModule(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	sections := m.CustomSections()
	if len(sections) != 1 || sections[0].Name() != "dp.manifest" || string(sections[0].Data()) != "{}" {
		t.Errorf("%d custom sections", len(sections))
	}
}
