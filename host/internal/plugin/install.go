package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// What a module is installed as, in a folder of its own: the instrumented module, what its state is, what the engine
// keeps of its native code, and the checksums of all that.
const (
	installedCode  = "module.wasm"
	installedState = "state.json"
	installedSums  = "checksums"
)

// A moduleState says where a module has its state besides its memory.
type moduleState struct {
	Globals []string // that change, as they are exported
	Lasting bool     // it has some that cannot be restored
}

// install makes the module's code ready to run: the code is checked, instrumented and compiled by a process of its own,
// which has limits, and kept under dir, where the next time finds it. Without dir it is not kept. What has been damaged
// since is made again.
func (m *module) install(ctx context.Context, dir string, code []byte, digest string, memory int64) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "carebot-modules-"); err != nil {
			return fmt.Errorf("make a folder for compiled modules: %w", err)
		}
		defer os.RemoveAll(dir)
	}
	dir = filepath.Join(dir, "wasm")
	if err := privateDir(dir); err != nil {
		return err
	}
	entry := filepath.Join(dir, entryName(digest))
	if intact(entry) {
		if err := m.load(ctx, entry, memory); !errors.Is(err, context.Canceled) {
			return err
		}
		if err := os.RemoveAll(entry); err != nil { // it was made for another processor or engine
			return fmt.Errorf("drop a compiled module: %w", err)
		}
	}
	if err := makeEntry(ctx, entry, code, compileBounds); err != nil {
		return err
	}
	return m.load(ctx, entry, memory)
}

// privateDir makes a folder that nobody else may look into or write to: native code is kept there.
func privateDir(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.Chmod(dir, 0o700)
	}
	if err != nil {
		return fmt.Errorf("make the folder of compiled modules: %w", err)
	}
	return nil
}

// entryName is the name of a module's folder: it changes with the module, the engine and what instruments modules.
func entryName(digest string) string {
	engine := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/tetratelabs/wazero" {
				engine = dep.Version
			}
		}
	}
	return digestBytes(fmt.Appendf(nil, "%s\n%d\n%s", engine, wasm.Version, digest))
}

// makeEntry makes a module's folder. It appears whole or not at all, and one that another process has made meanwhile is
// as good.
func makeEntry(ctx context.Context, entry string, code []byte, bounds bounds) error {
	dropOldDrafts(filepath.Dir(entry))
	draft, err := os.MkdirTemp(filepath.Dir(entry), draftPrefix)
	if err != nil {
		return fmt.Errorf("make a folder for a compiled module: %w", err)
	}
	defer os.RemoveAll(draft)
	if err := compile(ctx, draft, code, bounds); err != nil {
		return err
	}
	sums, err := sumsOf(draft)
	if err == nil {
		err = os.WriteFile(filepath.Join(draft, installedSums), sums, 0o600)
	}
	if err == nil && !intact(entry) {
		if err = os.RemoveAll(entry); err == nil {
			err = os.Rename(draft, entry)
		}
	}
	if err != nil && !intact(entry) {
		return fmt.Errorf("keep a compiled module: %w", err)
	}
	return nil
}

// A draft is a folder that a module is compiled into. What a host leaves that is killed meanwhile is old after a while:
// compiling ends within its limit.
const (
	draftPrefix = "new-"
	draftOld    = time.Hour
)

// dropOldDrafts removes what hosts that were killed have left. What cannot be removed harms nobody.
func dropOldDrafts(dir string) {
	drafts, _ := filepath.Glob(filepath.Join(dir, draftPrefix+"*"))
	for _, draft := range drafts {
		if info, err := os.Lstat(draft); err == nil && time.Since(info.ModTime()) > draftOld {
			_ = os.RemoveAll(draft)
		}
	}
}

// intact tells whether a module's folder is as it was made. Native code that has been damaged would be run.
func intact(entry string) bool {
	want, err := os.ReadFile(filepath.Join(entry, installedSums))
	if err != nil {
		return false
	}
	sums, err := sumsOf(entry)
	return err == nil && bytes.Equal(sums, want)
}

// sumsOf returns the checksums of all files below a folder, a line each, without the file that holds them. They find
// damage; that nobody else writes to the folder keeps out forgers, who could forge sums of any kind as well.
func sumsOf(dir string) ([]byte, error) {
	var sums []byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path == filepath.Join(dir, installedSums) {
			return err
		}
		sum, err := checksum(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		sums = fmt.Appendf(sums, "%08x  %s\n", sum, name)
		return err
	})
	return sums, err
}

// castagnoli is the polynomial that processors compute.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(path string) (uint32, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	sum := crc32.New(castagnoli)
	_, err = io.Copy(sum, f)
	return sum.Sum32(), err
}

// load makes the runtime and takes what the folder holds into it.
func (m *module) load(ctx context.Context, entry string, memory int64) error {
	code, err := os.ReadFile(filepath.Join(entry, installedCode))
	if err != nil {
		return fmt.Errorf("read a compiled module: %w", err)
	}
	state, err := os.ReadFile(filepath.Join(entry, installedState))
	if err == nil {
		err = json.Unmarshal(state, &m.state)
	}
	if err != nil {
		return fmt.Errorf("read a compiled module: %w", err)
	}
	pages := uint32(min(max((memory+pageSize-1)/pageSize, 1), 1<<16))
	config := wazero.NewRuntimeConfigCompiler().WithMemoryLimitPages(pages).WithMemoryCapacityFromMax(true)
	m.cache, m.runtime, err = newRuntime(ctx, config, entry)
	if err != nil {
		return err
	}
	if m.compiled, err = m.runtime.CompileModule(onlyCached(ctx), code); err != nil {
		return errors.Join(fmt.Errorf("compile the module (memory limit %d MiB): %w", memory>>20, err), m.close())
	}
	return nil
}

// newRuntime makes a runtime that keeps native code in a folder.
func newRuntime(ctx context.Context, config wazero.RuntimeConfig, dir string) (
	wazero.CompilationCache, wazero.Runtime, error,
) {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("open the cache of native code: %w", err)
	}
	return cache, wazero.NewRuntimeWithConfig(ctx, config.WithCompilationCache(cache).WithDebugInfoEnabled(false)), nil
}

// onlyCached returns a context in which the engine finds native code and makes none: when it has workers, they ask the
// context before each function. So a module is compiled in the process that has limits or not at all.
func onlyCached(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return experimental.WithCompilationWorkers(ctx, compileWorkers)
}
