package wasm_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// goGuest is the example plugin of the conformance kit, which is the size of a plugin in Go.
func goGuest(t testing.TB) []byte {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a plugin in Go")
	}
	file := filepath.Join(t.TempDir(), "example.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", file,
		"github.com/carebot-llm/carebot/sdk/sdktest/example/cmd/sdktest-example")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return read(t, file)
}

// The rewriting of a large module makes it little larger, and allocates little more than the module.
func TestModulesOfGoAreRewritten(t *testing.T) {
	code := goGuest(t)
	out := instrument(t, code)
	if growth := float64(len(out)) / float64(len(code)); growth > 1.4 {
		t.Errorf("%d bytes became %d", len(code), len(out))
	}
	if n := testing.AllocsPerRun(1, func() { instrument(t, code) }); n > 2000 {
		t.Errorf("%v allocations", n)
	}
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(t.Context())
	if _, err := r.CompileModule(t.Context(), out); err != nil {
		t.Error(err)
	}
}

func BenchmarkInstrument(b *testing.B) {
	code := goGuest(b)
	b.SetBytes(int64(len(code)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wasm.Instrument(code); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFuel is what counting costs: compare the two shapes of each call.
func BenchmarkFuel(b *testing.B) {
	shapes := map[string][]byte{"original": guestCode, "rewritten": instrument(b, guestCode)}
	for _, c := range guestCalls {
		for _, shape := range []string{"original", "rewritten"} {
			args := strings.ReplaceAll(strings.Trim(fmt.Sprint(c.args), "[]"), " ", "-")
			b.Run(fmt.Sprintf("%s-%s/%s", c.name, args, shape), func(b *testing.B) {
				m := load(b, newRuntime(b, new(tank)), shapes[shape])
				set(m, wasm.FuelGlobal, math.MaxInt64)
				set(m, wasm.DepthGlobal, 1000)
				writeText(b, m)
				f, stack := m.ExportedFunction(c.name), make([]uint64, 2)
				for b.Loop() {
					copy(stack, c.args)
					if err := f.CallWithStack(b.Context(), stack); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
