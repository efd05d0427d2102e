package wasm_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// bulk is a module with a memory of 96 pages, fill(place, value, amount) and copy(place, from, amount).
var bulk = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x07\x01\x60\x03\x7f\x7f\x7f\x00" + "\x03\x03\x02\x00\x00" + "\x05\x04\x01\x00\xe0\x00" +
	"\x07\x18\x03\x06memory\x02\x00\x04fill\x00\x00\x04copy\x00\x01" +
	"\x0a\x1a\x02\x0b\x00\x20\x00\x20\x01\x20\x02\xfc\x0b\x00\x0b\x0c\x00\x20\x00\x20\x01\x20\x02\xfc\x0a\x00\x00\x0b")

// opened instantiates a module with all the fuel and depth that it may want.
func opened(t *testing.T, code []byte) api.Module {
	t.Helper()
	m, err := newRuntime(t, plenty()).InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{wasm.FuelGlobal, wasm.DepthGlobal} {
		if g, ok := m.ExportedGlobal(name).(api.MutableGlobal); ok {
			g.Set(1 << 30)
		}
	}
	return m
}

// What is done in pieces comes to the same, whichever way ranges lie over each other.
func TestPiecesOfAnOperationComeToTheSame(t *testing.T) {
	made, err := wasm.Instrument(bulk)
	if err != nil {
		t.Fatal(err)
	}
	const mib = 1 << 20
	whole, pieces := opened(t, bulk), opened(t, made.Code)
	noise := make([]byte, 6*mib)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	whole.Memory().Write(0, noise)
	pieces.Memory().Write(0, noise)
	for i, step := range []struct {
		name string
		args [3]uint64
	}{
		{"fill", [3]uint64{0, 7, 3*mib + 5}},
		{"fill", [3]uint64{mib + 3, 9, 2*mib - 1}},
		{"fill", [3]uint64{2*mib + 9, 11, 99}},
		{"copy", [3]uint64{1000, 0, 5 * mib}},
		{"copy", [3]uint64{0, 1000, 5 * mib}},
		{"copy", [3]uint64{mib, 17, 3*mib + 1}},
		{"copy", [3]uint64{17, mib, 3*mib + 1}},
		{"copy", [3]uint64{5, 5, 2 * mib}},
		{"fill", [3]uint64{6 * mib, 1, 0}},
		{"fill", [3]uint64{3, 5, mib}},
	} {
		for _, m := range []api.Module{whole, pieces} {
			if _, err := m.ExportedFunction(step.name).Call(t.Context(), step.args[:]...); err != nil {
				t.Fatal(err)
			}
		}
		a, _ := whole.Memory().Read(0, 6*mib)
		b, _ := pieces.Memory().Read(0, 6*mib)
		if !bytes.Equal(a, b) {
			t.Fatalf("after step %d the memories differ", i)
		}
	}
	for _, m := range []api.Module{whole, pieces} {
		if _, err := m.ExportedFunction("fill").Call(t.Context(), 5*mib, 1, 3*mib); err == nil {
			t.Error("an operation beyond the memory does not trap")
		}
	}
}

func TestModuleThatChangesItsTablesHasLastingState(t *testing.T) {
	const tables = "\x00asm\x01\x00\x00\x00\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x04\x04\x01\x70\x00\x01" +
		"\x0a\x0a\x01\x08\x00\x41\x00\xd0\x70\x26\x00\x0b" // table.set 0 to null
	for code, want := range map[string]bool{tables: true, string(bulk): false} {
		made, err := wasm.Instrument([]byte(code))
		if err != nil {
			t.Fatal(err)
		}
		if made.Lasting != want {
			t.Errorf("lasting %v, want %v", made.Lasting, want)
		}
	}
}
