package wasm_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// specFolders are the engine's copies of the specification's tests, which come with its source.
func specFolders(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Skipf("the source of wazero is not there: %v", err)
	}
	at := filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
	folders := []string{filepath.Join(at, "v1", "testdata"), filepath.Join(at, "v2", "testdata")}
	if _, err := os.Stat(folders[0]); err != nil {
		t.Skipf("the source of wazero has no tests: %v", err)
	}
	return folders
}

// Whatever the engine says to a module, it says to the module rewritten; what is refused here is refused for a reason
// that the rewriting has.
func TestTheEngineJudgesARewrittenModuleAsTheOriginal(t *testing.T) {
	refusals := map[string]int{}
	accepted, invalid := 0, 0
	for _, folder := range specFolders(t) {
		files, _ := filepath.Glob(filepath.Join(folder, "*.wasm"))
		for _, file := range files {
			code, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r := newRuntime(t, plenty())
			_, original := r.CompileModule(t.Context(), code)
			instrumented, err := wasm.Instrument(code)
			if checked := wasm.Check(code); fmt.Sprint(checked) != fmt.Sprint(err) {
				t.Errorf("%s: checked: %v, instrumented: %v", file, checked, err)
			}
			if err != nil {
				if original == nil {
					refusals[reason(err)]++
				}
				continue
			}
			_, rewritten := r.CompileModule(t.Context(), instrumented.Code)
			r.Close(t.Context())
			if (original == nil) != (rewritten == nil) {
				t.Errorf("%s: original: %v, rewritten: %v", file, original, rewritten)
			}
			if original == nil {
				accepted++
			} else {
				invalid++
			}
		}
	}
	t.Logf("%d accepted, %d invalid for both, valid but refused: %v", accepted, invalid, refusals)
	if accepted < 1000 {
		t.Errorf("only %d modules were compared", accepted)
	}
}

// reason is an error without its place.
func reason(err error) string {
	parts := strings.SplitN(err.Error(), "byte ", 2)
	_, why, _ := strings.Cut(parts[len(parts)-1], ": ")
	return why
}

type specCommand struct {
	Type     string
	Line     int
	Name     string
	Filename string
	As       string
	Action   struct {
		Type, Field, Module string
		Args                []specValue
	}
}

type specValue struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    any
}

// lanes are the bits of a value of the specification's tests, in one or two words.
func (v specValue) lanes(t *testing.T) []uint64 {
	t.Helper()
	list, vector := v.Value.([]any)
	if !vector {
		return []uint64{number(t, v.Value, 64)}
	}
	width, err := strconv.Atoi(v.LaneType[1:])
	if err != nil {
		t.Fatal(err)
	}
	words := make([]uint64, 2)
	for i, lane := range list {
		words[i*width/64] |= number(t, lane, width) << (i * width % 64)
	}
	return words
}

func number(t *testing.T, v any, width int) uint64 {
	t.Helper()
	text, ok := v.(string)
	if !ok || text == "null" {
		return 0
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return uint64(n) & (1<<width - 1 | -(1<<(width-1))&(1<<width-1))
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("the number %v: %v", v, err)
	}
	return n
}

// A stage plays one side of the specification's tests.
type stage struct {
	runtime wazero.Runtime
	modules map[string]api.Module
	last    api.Module
	all     []api.Module
}

func newStage(t *testing.T, spectest []byte) *stage {
	s := &stage{runtime: newRuntime(t, plenty()), modules: map[string]api.Module{}}
	if _, err := s.runtime.InstantiateWithConfig(t.Context(), spectest, wazero.NewModuleConfig()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *stage) load(t *testing.T, code []byte, name, as string) error {
	m, err := s.runtime.InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig().WithName(as))
	if err != nil {
		return err
	}
	s.last, s.all = m, append(s.all, m)
	if name != "" {
		s.modules[name] = m
	}
	return nil
}

// do plays one action and returns what came of it.
func (s *stage) do(t *testing.T, c specCommand) string {
	m := s.last
	if c.Action.Module != "" {
		m = s.modules[c.Action.Module]
	}
	if c.Action.Type == "get" {
		return fmt.Sprint(m.ExportedGlobal(c.Action.Field).Get())
	}
	for _, m := range s.all {
		if depth := mutable(m, wasm.DepthGlobal); depth != nil {
			depth.Set(2000)
		}
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.lanes(t)...)
	}
	f := m.ExportedFunction(c.Action.Field)
	if slices.Contains(f.Definition().ResultTypes(), api.ValueTypeExternref) {
		return ""
	}
	out, err := f.Call(t.Context(), args...)
	return fmt.Sprint(out, kind(err))
}

func TestRewrittenModulesPassTheSpecification(t *testing.T) {
	folders := specFolders(t)
	spectest, err := os.ReadFile(filepath.Join(folders[0], "..", "..", "testdata", "spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	var same, skipped int
	for _, folder := range folders {
		scripts, _ := filepath.Glob(filepath.Join(folder, "*.json"))
		for _, script := range scripts {
			p := &play{folder: folder, original: newStage(t, spectest), rewritten: newStage(t, spectest)}
			p.run(t, script)
			same, skipped = same+p.same, skipped+p.skipped
		}
	}
	t.Logf("%d assertions agree, %d skipped", same, skipped)
	if same < 30_000 {
		t.Errorf("only %d assertions were compared", same)
	}
}

// A play runs one script on both sides.
type play struct {
	folder              string
	original, rewritten *stage
	refused             bool // the last module, so both sides have the original
	same, skipped       int
}

func (p *play) run(t *testing.T, script string) {
	raw, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	var s struct{ Commands []specCommand }
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	for i, c := range s.Commands {
		switch c.Type {
		case "module":
			as := ""
			if i+1 < len(s.Commands) && s.Commands[i+1].Type == "register" {
				as = s.Commands[i+1].As
			}
			p.load(t, c, as)
		case "action", "assert_return", "assert_trap", "assert_exhaustion":
			p.compare(t, script, c)
		}
	}
}

func (p *play) load(t *testing.T, c specCommand, as string) {
	code, err := os.ReadFile(filepath.Join(p.folder, c.Filename))
	if err != nil {
		t.Fatal(err)
	}
	rewritten := code
	instrumented, err := wasm.Instrument(code)
	if p.refused = err != nil; !p.refused {
		rewritten = instrumented.Code
	}
	a, b := p.original.load(t, code, c.Name, as), p.rewritten.load(t, rewritten, c.Name, as)
	if kind(a) != kind(b) {
		t.Errorf("%s: original: %v, rewritten: %v", c.Filename, a, b)
	}
}

// compare plays an action on both sides. Only the way in which a call that is nested too deep ends may differ.
func (p *play) compare(t *testing.T, script string, c specCommand) {
	if p.refused && c.Action.Module == "" {
		p.skipped++
		return
	}
	a, b := p.original.do(t, c), p.rewritten.do(t, c)
	if a != b && !(strings.Contains(a, "stack overflow") && strings.Contains(b, "unreachable")) {
		t.Errorf("%s:%d: original: %s, rewritten: %s", filepath.Base(script), c.Line, a, b)
	}
	p.same++
}
