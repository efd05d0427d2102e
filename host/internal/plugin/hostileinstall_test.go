package plugin

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/wasm"
	"github.com/carebot-llm/carebot/sdk"
)

// bomb is a module whose compilation takes minutes and gigabytes: n loops after each other, with many locals.
func bomb(n int) []byte {
	var body []byte
	for i := range n {
		v := int64(i % 100)
		body = append(body, loop(get(v), returns(true, 1), add64, set(v), get(v), wrap, branchIf(0))...)
	}
	m := honest(nil)
	m.more = []function{{"", toNothing, bytes.Repeat([]byte{0x7e}, 200), body}}
	return m.assemble()
}

func hostileCompileBomb(t *testing.T) {
	for _, c := range []struct {
		name, want string
		bounds     bounds
	}{
		{"time", "compiling takes more than 500ms", bounds{500 * time.Millisecond, 1 << 30}},
		{"memory", "compiling takes more than 192 MiB of memory", bounds{30 * time.Second, 192 << 20}},
	} {
		before := resetPeak(t)
		began := time.Now()
		err := compile(t.Context(), t.TempDir(), bomb(8000), c.bounds)
		took := time.Since(began)
		wantError(t, err, "the module: ", c.want)
		if took > c.bounds.time+time.Second {
			t.Errorf("%s: stopped after %v", c.name, took)
		}
		if grown := peak(t) - before; grown > growth {
			t.Errorf("%s: the host's memory grew by %d MiB", c.name, grown>>20)
		}
		t.Logf("%s: %v", c.name, took)
	}
}

// hostileCache damages each file of an installed module in each way.
func hostileCache(t *testing.T) {
	s := strict(misbehaving(t).file(t))
	s.CacheDir = t.TempDir()
	opened(t, s)
	damages := map[string]func(path string, content []byte) error{
		"cut":     func(path string, content []byte) error { return os.Truncate(path, int64(len(content)/2)) },
		"emptied": func(path string, _ []byte) error { return os.Truncate(path, 0) },
		"flipped": func(path string, content []byte) error {
			content[len(content)/2] ^= 0x10
			return os.WriteFile(path, content, 0o600)
		},
		"removed": func(path string, _ []byte) error { return os.Remove(path) },
		"joined":  func(path string, content []byte) error { return os.WriteFile(path+".new", content, 0o600) },
	}
	files := filesBelow(t, s.CacheDir)
	if len(files) != 4 {
		t.Fatalf("a module is installed as %v", files)
	}
	entry := filepath.Dir(files[0])
	leaveDraft(t, filepath.Dir(entry))
	for name, damage := range damages {
		for _, path := range files {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := damage(path, content); err != nil {
				t.Fatal(err)
			}
			if intact(entry) {
				t.Errorf("%s %s: not noticed", filepath.Base(path), name)
			}
			ratings, err := opened(t, s).Score(t.Context(), documents("good"))
			if err != nil || statuses(ratings) != "o" {
				t.Fatalf("%s %s: %v, %v", filepath.Base(path), name, ratings, err)
			}
		}
	}
	if left := filesBelow(t, s.CacheDir); !slices.Equal(left, files) {
		t.Errorf("left in the cache: %v", left)
	}
}

// leaveDraft leaves what a host leaves that is killed while it compiles, some time ago.
func leaveDraft(t *testing.T, dir string) {
	t.Helper()
	draft := filepath.Join(dir, draftPrefix+"1")
	if err := os.Mkdir(draft, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(draft, installedCode), "half a module")
	ago := time.Now().Add(-2 * draftOld)
	if err := os.Chtimes(draft, ago, ago); err != nil {
		t.Fatal(err)
	}
}

// filesBelow are all files below a folder, which must be closed to others.
func filesBelow(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		} else if info, err := d.Info(); err == nil && path != dir && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// customSection is a section of a module.
func customSection(name string, body []byte) []byte {
	return append([]byte{sectionCustom}, sized(append(named(name), body...))...)
}

func hostileManifest(t *testing.T) {
	m := honest(nil)
	good := mustJSON(t, bareManifest)
	packed := func(manifest []byte) []byte { return customSection(manifestSection, manifest) }
	other := bytes.Replace(good, []byte(`"abi":1`), []byte(`"abi":9`), 1)
	for name, c := range map[string]struct {
		sections []byte
		want     string
	}{
		"two":       {append(packed(good), packed(good)...), "two custom sections"},
		"none":      {nil, "no custom section dp.manifest"},
		"no JSON":   {packed([]byte("{")), "manifest: "},
		"other ABI": {packed(other), "abi is 9"},
		"huge":      {packed(bytes.Repeat(good, 1000)), "is larger than 65536"},
		"too long":  {append(packed(good), 0, 0xff, 0xff, 0xff, 0x7f), "said to follow"},
	} {
		m.sections = c.sections
		path := filepath.Join(t.TempDir(), "forged.wasm")
		if err := os.WriteFile(path, m.assemble(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), strict(path)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A manifest that promises what the code does not keep.
	claims := misbehaving(t)
	claims.manifest.Kinds = append(claims.manifest.Kinds, sdk.KindFilter)
	verdicts, err := opened(t, strict(claims.file(t))).Filter(t.Context(), []sdk.Dialogue{{}})
	if err != nil || verdicts[0].Status != sdk.Fault || !strings.Contains(verdicts[0].Detail, "frame of kind") {
		t.Errorf("%v, %v", verdicts, err)
	}
}

// beyond are the functions of WASI preview 1 that modules do not get.
var beyond = strings.Fields(`clock_res_get fd_advise fd_allocate fd_datasync fd_fdstat_set_rights fd_filestat_get
	fd_filestat_set_size fd_filestat_set_times fd_pread fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell
	path_create_directory path_filestat_get path_filestat_set_times path_link path_open path_readlink
	path_remove_directory path_rename path_symlink path_unlink_file proc_raise sock_accept sock_recv sock_send
	sock_shutdown`)

func hostileWASI(t *testing.T) {
	if got := len(wasi) + len(beyond); got != 46 {
		t.Errorf("%d functions are given or refused, WASI preview 1 with sock_accept has 46", got)
	}
	m := honest(nil)
	for _, name := range beyond {
		m.imports = append(m.imports, imported{wasiModule, name, toNothing})
	}
	_, err := Open(t.Context(), strict(m.file(t)))
	for _, name := range beyond {
		wantError(t, err, wasiModule+"."+name)
	}
}

func hostileContract(t *testing.T) {
	imports := func(module, name string, typ byte) func(*bareModule) {
		return func(m *bareModule) { m.imports = []imported{{module, name, typ}} }
	}
	runs := func(parts ...[]byte) func(*bareModule) {
		return func(m *bareModule) { m.run = code(append(parts, returns(true, 0))...) }
	}
	asks := func(capability string) func(*bareModule) {
		return func(m *bareModule) {
			m.manifest = textOnly()
			m.manifest.Capabilities = []string{capability}
		}
	}
	for _, c := range []struct {
		name, want string
		change     func(*bareModule)
	}{
		{"unknown import", "imports env.abort, which plugins do not get", imports("env", "abort", toNothing)},
		{"files", "imports wasi_snapshot_preview1.path_open", imports(wasiModule, "path_open", modelType)},
		{"sockets", "imports wasi_snapshot_preview1.sock_accept", imports(wasiModule, "sock_accept", runType)},
		{"import of another signature", "dp1.log with another signature", imports(importModule, "log", toNothing)},
		{"the host's own import", "yield is the host's own", imports(wasm.YieldModule, wasm.YieldName, toNothing)},
		{"writes to the gauge", "global 0, there are 0", runs(returns(true, 1<<60), op(0x24, 0))},
		{"calls the yield", "function 3, there are 3", runs(call(3))},
		{"start section", "start section", func(m *bareModule) { m.start = true }},
		{"other version", "version 2 of the contract, this host 1", func(m *bareModule) { m.abi = 2 << 16 }},
		{"missing export", "exports no dp_run", func(m *bareModule) { m.noRun = true }},
		{"other signature", "dp_alloc has another signature", func(m *bareModule) { m.params = 2 }},
		{"too much memory", "memory limit 64 MiB", func(m *bareModule) { m.pages = 1025 }},
		{"model that the recipe does not grant", "models.lm: bare asks for a model", asks("model:lm")},
		{"network", "asks for the network", asks("network")},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := honest(nil)
			c.change(&m)
			_, err := Open(t.Context(), strict(m.file(t)))
			if err == nil {
				t.Fatal("it is opened")
			}
			wantError(t, err, "plugin subject: ", c.want)
		})
	}
}
