package wasm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// seeds are small programs and the guest; when fuzzing, the specification's modules as well.
func seeds(f *testing.F) {
	programs := [][]byte{program(endless), program(doubling()...), program(recursion), program(filling)}
	for _, code := range append(programs, guestCode, featuresCode) {
		f.Add(code)
	}
	if flag.Lookup("test.fuzz").Value.String() == "" {
		return
	}
	for _, file := range specFiles(f, ".wasm") {
		if code := read(f, file); len(code) < 4096 {
			f.Add(code)
		}
	}
}

func FuzzCheck(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, code []byte) {
		checked := wasm.Check(code)
		_, err := wasm.Instrument(code)
		if fmt.Sprint(checked) != fmt.Sprint(err) {
			t.Errorf("checked: %v, instrumented: %v", checked, err)
		}
	})
}

// FuzzInstrument runs the functions of a module rewritten, rewritten plainly, and as it is.
func FuzzInstrument(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, code []byte) {
		out, err := wasm.Instrument(code)
		if err != nil || len(code) > 1<<16 || bytes.Contains(code, tableGrow) {
			return
		}
		again, err := wasm.Instrument(slices.Clone(code))
		if err != nil || !bytes.Equal(out.Code, again.Code) {
			t.Fatalf("the second time it is another module, %v", err)
		}
		plain, err := wasm.InstrumentPlainly(code)
		if err != nil {
			t.Fatal(err)
		}
		r := &race{newRun(t, out.Code, 7), newRun(t, plain.Code, enough), newRun(t, bare(code), 0)}
		r.run(t)
	})
}

// bare is a module without its custom sections: a few bytes of names can make the engine ask for all memory.
func bare(code []byte) []byte {
	out := slices.Clone(code[:8])
	for rest := code[8:]; len(rest) > 0; {
		size, n := binary.Uvarint(rest[1:])
		end := 1 + n + int(size)
		if rest[0] != 0 {
			out = append(out, rest[:end]...)
		}
		rest = rest[end:]
	}
	return out
}

// tableGrow is an operation for which the engine may ask for all memory, but in a rewritten module.
var tableGrow = []byte{0xfc, 0x0f}

// A race has a module in three shapes.
type race struct {
	rewritten, plain, original *attempt
}

// An attempt is one of the shapes. It has no module if the engine did not take it.
type attempt struct {
	tank   *tank
	module api.Module
	err    error
}

const (
	fuzzFuel  = 20_000
	fuzzDepth = 100
)

func newRun(t *testing.T, code []byte, slice int64) *attempt {
	a := &attempt{tank: &tank{slice: slice, budget: fuzzFuel}}
	r := configured(t, wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(20), a.tank)
	for _, host := range []string{"spectest", "env"} {
		if _, err := r.NewHostModuleBuilder(host).Instantiate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a.module, a.err = r.InstantiateWithConfig(t.Context(), code,
		wazero.NewModuleConfig().WithName("").WithStartFunctions())
	return a
}

func (r *race) run(t *testing.T) {
	if (r.rewritten.err == nil) != (r.original.err == nil) || (r.plain.err == nil) != (r.original.err == nil) {
		t.Fatalf("rewritten: %v, plain: %v, original: %v", r.rewritten.err, r.plain.err, r.original.err)
	}
	if r.original.err != nil {
		return
	}
	var names []string
	for name := range r.original.module.ExportedFunctionDefinitions() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !r.call(t, name) {
			return // the shapes have now different states
		}
	}
}

// call calls a function in all shapes, and says whether it ended in all.
func (r *race) call(t *testing.T, name string) bool {
	function := r.original.module.ExportedFunctionDefinitions()[name]
	args := make([]uint64, 2*len(function.ParamTypes())) // vectors have two words
	if !slices.Contains(function.ParamTypes(), vector) {
		args = args[:len(args)/2]
	} else if len(function.ParamTypes()) > 1 {
		return false
	}
	a, used, err := r.rewritten.tank.call(t, r.rewritten.module, fuzzDepth, name, args...)
	b, usedPlain, errPlain := r.plain.tank.call(t, r.plain.module, fuzzDepth, name, args...)
	if ended := errors.Is(err, errFuel); ended || errors.Is(errPlain, errFuel) {
		if !ended || kind(err) != kind(errPlain) || used != usedPlain {
			t.Errorf("%s: ended at %d by %v, counted plainly at %d by %v", name, used, err, usedPlain, errPlain)
		}
		return false
	}
	if int32(r.rewritten.module.ExportedGlobal(wasm.DepthGlobal).Get()) < 0 {
		return false
	}
	c, errOriginal := r.original.module.ExportedFunction(name).Call(t.Context(), args...)
	if slices.ContainsFunc(function.ResultTypes(), address) {
		a, b, c = nil, nil, nil
	}
	said := []string{fmt.Sprint(a, kind(err)), fmt.Sprint(b, kind(errPlain)), fmt.Sprint(c, kind(errOriginal))}
	if len(slices.Compact(slices.Clone(said))) != 1 {
		t.Errorf("%s: %q", name, said)
	}
	if used != usedPlain && err == nil {
		t.Errorf("%s: fuel %d, counted plainly %d", name, used, usedPlain)
	}
	if err == nil && !bytes.Equal(r.rewritten.memory(), r.original.memory()) {
		t.Errorf("%s: the memories differ", name)
	}
	return err == nil
}

// memory is the beginning of the module's memory, if it is exported.
func (a *attempt) memory() []byte {
	if len(a.module.ExportedMemoryDefinitions()) == 0 {
		return nil
	}
	b, _ := a.module.Memory().Read(0, min(a.module.Memory().Size(), 1<<16))
	return b
}

// vector is the type of 128 bits, which the engine's interface has no name for.
const vector api.ValueType = 0x7b

// address says whether values of a type are addresses in this process.
func address(v api.ValueType) bool { return v == api.ValueTypeExternref || v == 0x70 }
