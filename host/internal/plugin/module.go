package plugin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk/wire"
)

// A module is a compiled WebAssembly module and starts its instances. Each plugin has its own runtime, because the
// limit of memory belongs to the runtime.
type module struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	opening  []byte // frame
	broker   *broker
	log      *guestLog
	random   [32]byte // seed of the instances' random numbers
	deadline recipe.Duration
}

// pageSize is the unit of a module's memory.
const pageSize = 64 << 10

// newModule compiles a module and checks what it imports and exports. No code of it runs.
func newModule(ctx context.Context, spec Spec, code []byte, opening wire.Opening, b *broker) (*module, error) {
	frame, err := wire.EncodeOpening(new(wire.Builder), opening)
	if err != nil {
		return nil, err
	}
	m := &module{opening: frame, broker: b, log: newGuestLog(spec.Log), deadline: spec.Plugin.Limits.Deadline}
	m.random = sha256.Sum256(binary.LittleEndian.AppendUint64([]byte(spec.Name), spec.Seed))
	cache := ""
	if spec.CacheDir != "" {
		cache = filepath.Join(spec.CacheDir, "wasm", digestBytes(code))
	}
	if err := m.compile(ctx, code, int64(spec.Plugin.Limits.Memory), cache); err != nil {
		return nil, err
	}
	err = errors.Join(checkImports(m.compiled), checkExports(m.compiled))
	if err == nil {
		err = errors.Join(export(ctx, m.runtime, wasiModule, wasi), export(ctx, m.runtime, importModule, imports))
	}
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return m, nil
}

// compile makes the runtime and compiles the code. A cache that is damaged makes compiling fail, so after a failure the
// cache of this module is emptied and compiling tried once more.
func (m *module) compile(ctx context.Context, code []byte, memory int64, cache string) error {
	err := m.compileOnce(ctx, code, memory, cache)
	if err == nil || cache == "" {
		return err
	}
	if cleared := os.RemoveAll(cache); cleared != nil {
		return errors.Join(err, cleared)
	}
	return m.compileOnce(ctx, code, memory, cache)
}

func (m *module) compileOnce(ctx context.Context, code []byte, memory int64, cache string) error {
	pages := uint32(min(max((memory+pageSize-1)/pageSize, 1), 1<<16))
	config := wazero.NewRuntimeConfig().WithCloseOnContextDone(true).
		WithMemoryLimitPages(pages).WithMemoryCapacityFromMax(true)
	if cache != "" {
		opened, err := openCache(cache)
		if err != nil {
			return err
		}
		config = config.WithCompilationCache(opened)
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, config)
	compiled, err := runtime.CompileModule(experimental.WithCompilationWorkers(ctx, goruntime.GOMAXPROCS(0)), code)
	if err != nil {
		return errors.Join(fmt.Errorf("compile the module (memory limit %d MiB): %w", memory>>20, err), runtime.Close(ctx))
	}
	m.runtime, m.compiled = runtime, compiled
	return nil
}

// openCache opens the cache of a module. It holds native code, so nobody else may write there.
func openCache(dir string) (wazero.CompilationCache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the cache of compiled modules: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("close the cache of compiled modules to others: %w", err)
	}
	return wazero.NewCompilationCacheWithDir(dir)
}

// checkImports refuses a module that imports what this host does not give.
func checkImports(m wazero.CompiledModule) error {
	var unknown []string
	for _, f := range m.ImportedFunctions() {
		from, name, _ := f.Import()
		if from == wasiModule && gives(wasi, name) || from == importModule && gives(imports, name) {
			continue
		}
		unknown = append(unknown, from+"."+name)
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

func gives(functions []hostFunc, name string) bool {
	for _, f := range functions {
		if f.name == name {
			return true
		}
	}
	return false
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
		e := exports[f.name]
		if e != nil && !(bytes.Equal(e.ParamTypes(), f.params) && bytes.Equal(e.ResultTypes(), f.results)) {
			problems = append(problems, fmt.Errorf("the module's %s has another signature", f.name))
		}
	}
	return errors.Join(problems...)
}

func (m *module) close() error {
	return m.runtime.Close(context.Background())
}

// start makes an instance and opens it. It has as long as one call.
func (m *module) start(ctx context.Context) (instance, error) {
	ctx, meter := startMeter(ctx, time.Duration(m.deadline))
	defer meter.stop()
	inst := newModuleInstance(m)
	if err := inst.begin(ctx, m); err != nil {
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
