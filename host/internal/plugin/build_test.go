package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest"
	"github.com/carebot-llm/carebot/sdk/sdktest/example"
	"github.com/carebot-llm/carebot/sdk/sdktest/example/median"
)

// built is the folder that the guests of this run are built into, and the cache of compiled modules.
var built string

func TestMain(m *testing.M) {
	Reexec()
	var err error
	if built, err = os.MkdirTemp("", "carebot-guests-"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(built); err != nil {
		panic(err)
	}
	os.Exit(code)
}

const (
	mains       = "github.com/carebot-llm/carebot/sdk/sdktest/example/cmd/"
	hostile     = "./testdata/hostile"
	liar        = "./testdata/liar"
	heuristicGo = "./testdata/heuristic/go"
)

// processes builds all executables at once.
var processes = sync.OnceValue(func() error {
	return build(nil, "-o", built+"/", mains+example.Name, mains+median.Name, hostile, liar, "./testdata/prober",
		"./testdata/null", heuristicGo)
})

func build(env []string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-ldflags=-s -w"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// executableOf returns the path of a guest that is a process.
func executableOf(t testing.TB, name string) string {
	t.Helper()
	if err := processes(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(built, name)
}

var modules sync.Map // path to func() error

// moduleOf returns the path of a guest that is a module, with its manifest packed in.
func moduleOf(t testing.TB, pkg string) string {
	t.Helper()
	name := filepath.Base(pkg)
	path := filepath.Join(built, name+".wasm")
	once, _ := modules.LoadOrStore(path, sync.OnceValue(func() error {
		return buildModule(pkg, path, filepath.Join(built, name))
	}))
	err := processes()
	if err == nil {
		err = once.(func() error)()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// buildModule builds a module and packs the manifest that the executable of the same source prints.
func buildModule(pkg, path, executable string) error {
	if err := build([]string{"GOOS=wasip1", "GOARCH=wasm"}, "-buildmode=c-shared", "-o", path, pkg); err != nil {
		return err
	}
	manifest, err := exec.Command(executable, "-manifest").Output()
	if err != nil {
		return err
	}
	module, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	packed, err := Pack(module, manifest)
	if err != nil {
		return err
	}
	return os.WriteFile(path, packed, 0o644)
}

// tolerant are limits that let a test see many faults, soon.
var tolerant = recipe.Limits{Memory: 128 << 20, Deadline: recipe.Duration(20 * time.Second), Batch: 256, Faults: 1000}

// spec is an entry with tolerant limits and the models that the examples ask for.
func spec(use string) Spec {
	return Spec{
		Name: "subject", CacheDir: built, Workers: 2,
		Plugin: recipe.Plugin{Use: use, Limits: tolerant},
	}
}

// withModels binds fake models.
func withModels(s Spec) Spec {
	s.Plugin.Models = map[string]string{"lm": "boost", "rater": "rate-model"}
	s.Models = map[string]sdk.Model{"lm": &sdktest.Model{Name: "lm"}, "rater": &sdktest.Model{Name: "rater"}}
	return s
}

// opened opens a plugin for the length of the test.
func opened(t testing.TB, s Spec) *Plugin {
	t.Helper()
	p, err := Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// documents are documents with the given texts, named after their places.
func documents(texts ...string) []sdk.Document {
	docs := make([]sdk.Document, len(texts))
	for i, text := range texts {
		docs[i] = sdk.Document{ID: string(rune('a' + i)), Text: text}
	}
	return docs
}

// wantError fails unless the error has all parts.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Fatalf("error %v, want one with %q", err, part)
		}
	}
}

// logged is a log that a test can read.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mustJSON is a value as JSON.
func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// statuses are the statuses of ratings as letters: o, a, f.
func statuses(ratings []sdk.Rating) string {
	letters := make([]byte, len(ratings))
	for i, r := range ratings {
		letters[i] = StatusName(r.Status)[0]
	}
	return string(letters)
}
