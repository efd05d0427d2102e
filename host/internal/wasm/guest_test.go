package wasm_test

import (
	"context"
	_ "embed"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// The modules of testdata, of C and by hand.
var (
	//go:embed testdata/guest.wasm
	guestCode []byte
	//go:embed testdata/features.wasm
	featuresCode []byte
)

var errFuel = errors.New("out of fuel")

const enough = math.MaxInt64 / 4

// A tank gives fuel to rewritten modules in slices, and counts it.
type tank struct {
	slice, budget int64 // what is given at a time, and in all
	given         int64
	yields        int
}

// plenty is a tank for tests that do not look at fuel.
func plenty() *tank { return &tank{slice: 1000, budget: enough} }

// newRuntime is an engine that has the tank's import.
func newRuntime(t testing.TB, k *tank) wazero.Runtime {
	t.Helper()
	return configured(t, wazero.NewRuntimeConfig(), k)
}

func configured(t testing.TB, config wazero.RuntimeConfig, k *tank) wazero.Runtime {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), config)
	t.Cleanup(func() { r.Close(context.Background()) })
	_, err := r.NewHostModuleBuilder(wasm.YieldModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(k.yield), nil, nil).Export(wasm.YieldName).Instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// load starts a module, rewritten or not.
func load(t testing.TB, r wazero.Runtime, code []byte) api.Module {
	t.Helper()
	m, err := r.InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func instrument(t testing.TB, code []byte) []byte {
	t.Helper()
	out, err := wasm.Instrument(code)
	if err != nil {
		t.Fatal(err)
	}
	return out.Code
}

// set sets an exported mutable global, if the module has it.
func set(m api.Module, name string, v uint64) {
	if g, ok := m.ExportedGlobal(name).(api.MutableGlobal); ok {
		g.Set(v)
	}
}

// left is the fuel that a module has.
func left(m api.Module) int64 {
	if g := m.ExportedGlobal(wasm.FuelGlobal); g != nil {
		return int64(g.Get())
	}
	return 0
}

func (k *tank) yield(_ context.Context, m api.Module, _ []uint64) {
	k.yields++
	if k.given-left(m) > k.budget {
		panic(errFuel)
	}
	k.give(m)
}

// give fills a module's fuel up to a slice, or to what is left of the budget.
func (k *tank) give(m api.Module) {
	full := min(k.slice, k.budget-(k.given-left(m)))
	k.given += full - left(m)
	set(m, wasm.FuelGlobal, uint64(full))
}

// call runs a function of a module that starts with a new tank, and returns the fuel that it used.
func (k *tank) call(t testing.TB, m api.Module, depth uint64, name string, args ...uint64) ([]uint64, int64, error) {
	t.Helper()
	k.given, k.yields = 0, 0
	set(m, wasm.FuelGlobal, 0)
	set(m, wasm.DepthGlobal, depth)
	k.give(m)
	out, err := m.ExportedFunction(name).Call(t.Context(), args...)
	return out, k.given - left(m), err
}

// kind is an error without the addresses in it.
func kind(err error) string {
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}

// english is a text of words.
func english(size int) []byte {
	words := strings.Fields("the of and to in a is that for it as was with be by on not he his but at are this have")
	var b strings.Builder
	for x := uint32(1); b.Len() < size; x = x*1664525 + 1013904223 {
		b.WriteString(words[int(x>>16)%len(words)] + " ")
	}
	return []byte(b.String()[:size])
}

// A guestCall is a call to testdata/guest.c over a text.
type guestCall struct {
	name string
	args []uint64
}

var guestCalls = []guestCall{
	{"words", []uint64{8192}},
	{"sort", []uint64{2048, 0}},
	{"sort", []uint64{2048, 1}},
	{"fibonacci", []uint64{18}},
	{"letters", []uint64{8192}},
	{"matrix", []uint64{24}},
	{"copy", []uint64{50_000}},
}

func writeText(t testing.TB, m api.Module) {
	t.Helper()
	at, err := m.ExportedFunction("buffer").Call(t.Context())
	if err != nil || !m.Memory().Write(uint32(at[0]), english(8192)) {
		t.Fatal("write the text:", err)
	}
}
