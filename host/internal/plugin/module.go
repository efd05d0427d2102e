package plugin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/wasm"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// A module is a compiled WebAssembly module and starts its instances. Each plugin has its own runtime, because the
// limit of memory belongs to the runtime.
type module struct {
	runtime  wazero.Runtime
	cache    wazero.CompilationCache
	compiled wazero.CompiledModule
	state    moduleState
	opening  []byte // frame
	broker   *broker
	log      *guestLog
	random   [32]byte // seed of the instances' random numbers
	usage    usageCount

	deadline  recipe.Duration
	fuel      int64 // for each KB of a request
	watermark int64 // bytes of memory above which an instance is not used again
	stateful  bool
}

// pageSize is the unit of a module's memory.
const pageSize = 64 << 10

// newModule installs a module and checks what it imports and exports. No code of it runs.
func newModule(ctx context.Context, spec Spec, info Info, code []byte, o wire.Opening, b *broker) (*module, error) {
	frame, err := wire.EncodeOpening(new(wire.Builder), o)
	if err != nil {
		return nil, err
	}
	limits := spec.Plugin.Limits
	m := &module{
		opening: frame, broker: b, log: newGuestLog(spec.Log), deadline: limits.Deadline, fuel: int64(limits.Fuel),
		watermark: int64(limits.Memory) / 2, stateful: info.Manifest.Purity == sdk.Stateful,
	}
	m.random = sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(spec.Name), spec.Seed))
	if err := m.install(ctx, spec.CacheDir, code, info.Digest, int64(limits.Memory)); err != nil {
		return nil, err
	}
	err = errors.Join(checkImports(m.compiled), checkExports(m.compiled))
	if err == nil {
		err = errors.Join(export(ctx, m.runtime, wasiModule, wasi), export(ctx, m.runtime, importModule, imports),
			export(ctx, m.runtime, wasm.YieldModule, instruments))
	}
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// fuelFor returns the fuel of a call with a request of so many bytes.
func (m *module) fuelFor(size int) int64 { return m.fuel*int64((size+1023)/1024) + baseFuel }

// checkImports refuses a module that imports what this host does not give.
func checkImports(m wazero.CompiledModule) error {
	var unknown []string
	for _, f := range m.ImportedFunctions() {
		from, name, _ := f.Import()
		given := offered(from, name)
		switch {
		case given == nil:
			unknown = append(unknown, from+"."+name)
		case !given.fits(f):
			return fmt.Errorf("the module imports %s.%s with another signature", from, name)
		}
	}
	if len(unknown) > 0 {
		return fmt.Errorf("the module imports %s, which plugins do not get (there are no files and no network)",
			strings.Join(unknown, ", "))
	}
	if len(m.ImportedMemories()) > 0 {
		return errors.New("the module imports its memory instead of exporting it")
	}
	return nil
}

// offers are the functions that modules get, by module.
var offers = map[string][]hostFunc{wasiModule: wasi, importModule: imports, wasm.YieldModule: instruments}

// offered returns the function that the host gives under a name, nil for none.
func offered(from, name string) *hostFunc {
	for i, f := range offers[from] {
		if f.name == name {
			return &offers[from][i]
		}
	}
	return nil
}

// fits tells whether a definition has the function's signature.
func (f *hostFunc) fits(d api.FunctionDefinition) bool {
	return bytes.Equal(d.ParamTypes(), f.params) && bytes.Equal(d.ResultTypes(), f.results)
}

// The exports of a module and their signatures.
var (
	required = []hostFunc{
		{name: "dp_abi_version", results: []api.ValueType{i32}},
		{name: "dp_alloc", params: []api.ValueType{i32}, results: []api.ValueType{i32}},
		{name: "dp_run", params: []api.ValueType{i32, i32, i32}, results: []api.ValueType{i64}},
	}
	optional = []hostFunc{
		{name: "_initialize"},
		{name: "dp_open", params: []api.ValueType{i32, i32}, results: []api.ValueType{i32}},
		{name: "dp_error", results: []api.ValueType{i64}},
		{name: "dp_flush", params: []api.ValueType{i32}, results: []api.ValueType{i64}},
	}
)

// checkExports refuses a module whose exports are not those of the contract.
func checkExports(m wazero.CompiledModule) error {
	var problems []error
	if _, ok := m.ExportedMemories()["memory"]; !ok {
		problems = append(problems, errors.New("the module exports no memory"))
	}
	exports := m.ExportedFunctions()
	for _, f := range required {
		if exports[f.name] == nil {
			problems = append(problems, fmt.Errorf("the module exports no %s", f.name))
		}
	}
	for _, f := range append(optional, required...) {
		if e := exports[f.name]; e != nil && !f.fits(e) {
			problems = append(problems, fmt.Errorf("the module's %s has another signature", f.name))
		}
	}
	return errors.Join(problems...)
}

func (m *module) close() error {
	ctx := context.Background()
	return errors.Join(m.runtime.Close(ctx), m.cache.Close(ctx))
}

// start makes an instance and opens it. It has as long as one call.
func (m *module) start(ctx context.Context) (instance, error) {
	ctx, meter := startMeter(ctx, time.Duration(m.deadline))
	defer meter.stop()
	inst := newModuleInstance(m)
	if err := inst.begin(ctx); err != nil {
		inst.close()
		return nil, err
	}
	return inst, nil
}

// instantiate turns the panic of an engine that gets no memory into an error.
func (m *module) instantiate(ctx context.Context, memory *linear) (mod api.Module, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("instantiate: %v", p)
		}
	}()
	ctx = experimental.WithMemoryAllocator(ctx, memory)
	return m.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
}

var _ engine = (*module)(nil)
