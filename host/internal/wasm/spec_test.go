package wasm_test

import (
	"encoding/json"
	"fmt"
	"maps"
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
func specFolders(t testing.TB) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	at := filepath.Join(strings.TrimSpace(string(out)), "internal", "integration_test", "spectest")
	folders := []string{filepath.Join(at, "v1", "testdata"), filepath.Join(at, "v2", "testdata")}
	if err == nil {
		_, err = os.Stat(folders[1])
	}
	if err != nil {
		t.Skipf("the specification's tests are not there, since the source of wazero is not: %v", err)
	}
	return folders
}

// specFiles are the files of the specification's tests with an ending.
func specFiles(t testing.TB, ending string) []string {
	t.Helper()
	var files []string
	for _, folder := range specFolders(t) {
		found, err := filepath.Glob(filepath.Join(folder, "*"+ending))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the engine says to a module, it says to the module rewritten. What is refused here is refused for one of the
// reasons that the engine has not.
func TestTheEngineJudgesARewrittenModuleAsTheOriginal(t *testing.T) {
	valid, invalid, refused := 0, 0, map[string]int{}
	for _, file := range specFiles(t, ".wasm") {
		code := read(t, file)
		r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
		_, original := r.CompileModule(t.Context(), code)
		out, err := wasm.Instrument(code)
		if checked := wasm.Check(code); fmt.Sprint(checked) != fmt.Sprint(err) {
			t.Errorf("%s: checked: %v, instrumented: %v", file, checked, err)
		}
		switch {
		case err == nil:
			_, rewritten := r.CompileModule(t.Context(), out.Code)
			if (original == nil) != (rewritten == nil) {
				t.Errorf("%s: original: %v, rewritten: %v", file, original, rewritten)
			}
			if original == nil {
				valid++
			} else {
				invalid++
			}
		case original == nil:
			refused[reason(err)]++
		}
		r.Close(t.Context())
	}
	t.Logf("%d valid for both, %d invalid for both, valid but refused: %v", valid, invalid, refused)
	if reasons := slices.Sorted(maps.Keys(refused)); len(reasons) != 2 || valid < 2500 {
		t.Errorf("%d valid modules were compared, refused: %q", valid, reasons)
	}
}

// reason is an error without what is of one module in it.
func reason(err error) string {
	for _, r := range []string{"a start function would run", "is mutable, which cannot be saved"} {
		if strings.Contains(err.Error(), r) {
			return r
		}
	}
	return err.Error()
}

func TestAnotherValidatorAcceptsRewrittenModules(t *testing.T) {
	validator, err := exec.LookPath("wasm-validate")
	if err != nil {
		t.Skip("wasm-validate (wabt) is not installed")
	}
	files := specFiles(t, ".wasm")
	modules, dir := []string{}, t.TempDir()
	for i := 0; i < len(files); i += 10 {
		code := read(t, files[i])
		out, err := wasm.Instrument(code)
		if err != nil || exec.Command(validator, files[i]).Run() != nil {
			continue
		}
		name := filepath.Join(dir, strconv.Itoa(i))
		if err := os.WriteFile(name, out.Code, 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(validator, name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", files[i], err, text)
		}
		modules = append(modules, name)
	}
	if len(modules) < 200 {
		t.Errorf("only %d modules were validated", len(modules))
	}
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
	LaneType string `json:"lane_type"`
	Value    any
}

// words are the bits of a value, as the engine's calls take it.
func (v specValue) words(t *testing.T) []uint64 {
	t.Helper()
	lanes, vector := v.Value.([]any)
	if !vector {
		return []uint64{number(t, v.Value)}
	}
	width, err := strconv.Atoi(v.LaneType[1:])
	if err != nil {
		t.Fatal(err)
	}
	words := make([]uint64, 2)
	for i, lane := range lanes {
		words[i*width/64] |= number(t, lane) << (i * width % 64)
	}
	return words
}

func number(t *testing.T, v any) uint64 {
	t.Helper()
	text, ok := v.(string)
	if !ok || text == "null" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("the number %v: %v", v, err)
	}
	return n
}

// A stage plays the specification's tests with modules rewritten in one way, or not at all.
type stage struct {
	rewrite func([]byte) (*wasm.Instrumented, error)
	tank    *tank
	runtime wazero.Runtime
	modules map[string]api.Module
	last    api.Module
	all     []api.Module
}

// newStages are the three stages that are compared: the modules as they are, rewritten, and rewritten plainly.
func newStages(t *testing.T, spectest []byte) []*stage {
	unchanged := func(code []byte) (*wasm.Instrumented, error) { return &wasm.Instrumented{Code: code}, nil }
	stages := []*stage{
		{rewrite: unchanged, tank: &tank{}},
		{rewrite: wasm.Instrument, tank: &tank{slice: 10, budget: enough}},
		{rewrite: wasm.InstrumentPlainly, tank: &tank{slice: 1 << 40, budget: enough}},
	}
	for _, s := range stages {
		s.runtime = newRuntime(t, s.tank)
		s.modules = map[string]api.Module{}
		_, err := s.runtime.InstantiateWithConfig(t.Context(), spectest, wazero.NewModuleConfig())
		if err != nil {
			t.Fatal(err)
		}
	}
	return stages
}

// load starts a module, and says whether it was taken.
func (s *stage) load(t *testing.T, code []byte, name, as string, refused bool) string {
	if !refused {
		out, err := s.rewrite(code)
		if err != nil {
			t.Fatal(err)
		}
		code = out.Code
	}
	m, err := s.runtime.InstantiateWithConfig(t.Context(), code, wazero.NewModuleConfig().WithName(as))
	if err != nil {
		return kind(err)
	}
	s.last, s.all = m, append(s.all, m)
	if name != "" {
		s.modules[name] = m
	}
	return ""
}

// do plays one action. It returns what came of it, and the fuel that was used.
func (s *stage) do(t *testing.T, c specCommand) (string, int64) {
	m := s.last
	if c.Action.Module != "" {
		m = s.modules[c.Action.Module]
	}
	if c.Action.Type == "get" {
		return fmt.Sprint(m.ExportedGlobal(c.Action.Field).Get()), 0
	}
	s.tank.given = 0
	for _, m := range s.all {
		set(m, wasm.FuelGlobal, 0)
		set(m, wasm.DepthGlobal, 2000)
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.words(t)...)
	}
	f := m.ExportedFunction(c.Action.Field)
	out, err := f.Call(t.Context(), args...)
	used := s.tank.given
	for _, m := range s.all {
		used -= left(m)
	}
	if slices.Contains(f.Definition().ResultTypes(), api.ValueTypeExternref) {
		out = nil // an address
	}
	return fmt.Sprint(out, kind(err)), used
}

// Rewritten modules do what the originals do. They pay for as many instructions as they run, whether that is counted
// at each instruction or in sums, and in whatever slices the fuel comes.
func TestRewrittenModulesPassTheSpecification(t *testing.T) {
	spectest := read(t, filepath.Join(specFolders(t)[0], "..", "..", "testdata", "spectest.wasm"))
	var same, skipped int
	for i, script := range specFiles(t, ".json") {
		if testing.Short() && i%4 > 0 {
			continue
		}
		p := &play{script: script, stages: newStages(t, spectest)}
		p.run(t)
		same, skipped = same+p.same, skipped+p.skipped
		for _, s := range p.stages {
			s.runtime.Close(t.Context())
		}
	}
	t.Logf("%d assertions agree, %d skipped", same, skipped)
	if same < 60_000 && !testing.Short() {
		t.Errorf("only %d assertions were compared", same)
	}
}

// A play runs one script on all stages.
type play struct {
	script        string
	stages        []*stage
	refused       bool // the last module, so all stages have the original
	same, skipped int
}

func (p *play) run(t *testing.T) {
	var script struct{ Commands []specCommand }
	if err := json.Unmarshal(read(t, p.script), &script); err != nil {
		t.Fatal(err)
	}
	for i, c := range script.Commands {
		switch c.Type {
		case "module":
			as := ""
			if i+1 < len(script.Commands) && script.Commands[i+1].Type == "register" {
				as = script.Commands[i+1].As
			}
			p.load(t, c, as)
		case "action", "assert_return", "assert_trap", "assert_exhaustion":
			p.compare(t, c)
		}
	}
}

func (p *play) load(t *testing.T, c specCommand, as string) {
	code := read(t, filepath.Join(filepath.Dir(p.script), c.Filename))
	p.refused = wasm.Check(code) != nil
	var said []string
	for _, s := range p.stages {
		said = append(said, s.load(t, code, c.Name, as, p.refused))
	}
	if len(slices.Compact(said)) != 1 {
		t.Errorf("%s: %q", c.Filename, said)
	}
}

// compare plays an action. Only the way in which a call that is nested too deep ends may differ, and the fuel of calls
// that trap.
func (p *play) compare(t *testing.T, c specCommand) {
	if p.refused && c.Action.Module == "" {
		p.skipped++
		return
	}
	var said [3]string
	var used [3]int64
	for i, s := range p.stages {
		said[i], used[i] = s.do(t, c)
	}
	tooDeep := strings.Contains(said[0], "stack overflow") && strings.Contains(said[1], "unreachable")
	if said[0] != said[1] && !tooDeep || said[1] != said[2] {
		t.Errorf("%s:%d: %q", filepath.Base(p.script), c.Line, said)
	}
	if used[1] != used[2] && !strings.Contains(said[1], "wasm error") {
		t.Errorf("%s:%d: fuel %d, counted plainly %d", filepath.Base(p.script), c.Line, used[1], used[2])
	}
	p.same++
}
