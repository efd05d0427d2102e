package wasm_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

var errFuel = errors.New("out of fuel")

// A tank gives fuel to rewritten modules in slices, and counts it.
type tank struct {
	slice, budget int64 // what is given at a time, and in all
	given         int64
	yields        int
}

// newRuntime is an engine that has the tank's import.
func newRuntime(t testing.TB, k *tank) wazero.Runtime {
	t.Helper()
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithMemoryLimitPages(1<<16))
	t.Cleanup(func() { r.Close(context.Background()) })
	_, err := r.NewHostModuleBuilder(wasm.YieldModule).NewFunctionBuilder().
		WithGoModuleFunction(api.GoModuleFunc(k.yield), nil, nil).Export(wasm.YieldName).Instantiate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mutable(m api.Module, name string) api.MutableGlobal {
	g, _ := m.ExportedGlobal(name).(api.MutableGlobal)
	return g
}

func (k *tank) yield(_ context.Context, m api.Module, _ []uint64) {
	k.yields++
	fuel := mutable(m, wasm.FuelGlobal)
	left := int64(fuel.Get())
	if k.given-left > k.budget {
		panic(errFuel)
	}
	k.give(fuel)
}

// give makes the fuel that is left a slice, or as much as the budget has.
func (k *tank) give(fuel api.MutableGlobal) {
	left := int64(fuel.Get())
	full := min(k.slice, k.budget-(k.given-left))
	k.given += full - left
	fuel.Set(uint64(full))
}

// call runs a function of a module. It returns the fuel that was used.
func (k *tank) call(t testing.TB, m api.Module, name string, depth int32, args ...uint64) ([]uint64, int64, error) {
	t.Helper()
	fuel := mutable(m, wasm.FuelGlobal)
	fuel.Set(0)
	k.given = 0
	k.give(fuel)
	mutable(m, wasm.DepthGlobal).Set(uint64(uint32(depth)))
	out, err := m.ExportedFunction(name).Call(t.Context(), args...)
	return out, k.given - int64(fuel.Get()), err
}

// plenty is a tank for tests that do not look at fuel, with a slice that is used up often.
func plenty() *tank { return &tank{slice: 1000, budget: math.MaxInt64 / 2} }

// kind is an error without the addresses in it.
func kind(err error) string {
	if err == nil {
		return ""
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return first
}
