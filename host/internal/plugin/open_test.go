package plugin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/sdktest"
	"github.com/carebot-llm/carebot/sdk/sdktest/example"
	"github.com/carebot-llm/carebot/sdk/wire/dp1"
)

func TestUseTellsBuiltInModuleAndExecutableApart(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string, mode fs.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("m.wasm", "\x00asm\x01\x00\x00\x00", 0o644)
	write("script", "#!/bin/sh\n", 0o755)
	write("text.wasm", "text", 0o644)
	write("notes", "text", 0o644)
	write("e", "", 0o644)
	for use, want := range map[string]string{
		fickle: TransportBuiltin, "m.wasm": TransportWasm, "./script": TransportProcess,
	} {
		transport, path, err := ResolveUse(use, dir)
		if err != nil || transport != want || (path == "") != (want == TransportBuiltin) {
			t.Errorf("%s is %s at %q, %v", use, transport, path, err)
		}
	}
	for use, want := range map[string]string{
		"nothing":   `"nothing" is no built-in plugin (built in: quality-rules, sdktest-example, sdktest-median, test-`,
		"text.wasm": "is not a WebAssembly module",
		"notes":     "neither a WebAssembly module nor executable",
		"e":         "neither a WebAssembly module nor executable",
		".":         "is not a file",
	} {
		_, _, err := ResolveUse(use, dir)
		wantError(t, err, want)
	}
}

func TestGrantsMustCoverWhatThePluginAsksFor(t *testing.T) {
	info := func(transport string, capabilities ...string) Info {
		return Info{Transport: transport, Manifest: sdk.Manifest{Name: "p", Capabilities: capabilities}}
	}
	files := recipe.Grant{Read: []string{"x"}}
	network, env := recipe.Grant{Network: []string{"h:1"}}, recipe.Grant{Env: []string{"K"}}
	for _, c := range []struct {
		name string
		info Info
		p    recipe.Plugin
		want string
	}{
		{"model", info(TransportWasm, "model:lm"), recipe.Plugin{}, "models.lm: p asks for a model and the recipe binds"},
		{"other model", info(TransportWasm), recipe.Plugin{Models: map[string]string{"x": "y"}}, "models.x: p asks for no"},
		{"network", info(TransportProcess, "network"), recipe.Plugin{}, "grant.network: p asks for the network"},
		{"network of a module", info(TransportWasm, "network"), recipe.Plugin{Grant: network}, "only an executable"},
		{"network that is none", info(TransportProcess), recipe.Plugin{Grant: recipe.Grant{Network: []string{"h"}}},
			`grant.network: "h" is not host:port`},
		{"files of a module", info(TransportWasm), recipe.Plugin{Grant: files}, "grant.read"},
		{"environment of a module", info(TransportWasm), recipe.Plugin{Grant: env}, "grant.env"},
		{"arguments of a module", info(TransportWasm), recipe.Plugin{Args: []string{"-x"}}, "args: "},
	} {
		t.Run(c.name, func(t *testing.T) { wantError(t, c.info.check(c.p), c.want) })
	}
	granted := recipe.Plugin{Models: map[string]string{"lm": "boost"}, Grant: network}
	granted.Grant.Env = env.Env
	if err := info(TransportProcess, "model:lm", "network").check(granted); err != nil {
		t.Error(err)
	}
}

func TestManifestThatCannotBeIsRefused(t *testing.T) {
	good := bareManifest
	for want, change := range map[string]func(*sdk.Manifest){
		"abi is 9":                          func(m *sdk.Manifest) { m.ABI = 9 },
		"is empty":                          func(m *sdk.Manifest) { m.Version = "" },
		"no kinds":                          func(m *sdk.Manifest) { m.Kinds = nil },
		`unknown kind "oracle"`:             func(m *sdk.Manifest) { m.Kinds = []sdk.Kind{"oracle"} },
		`unknown column "turns"`:            func(m *sdk.Manifest) { m.Columns = []string{"turns"} },
		`purity "clean"`:                    func(m *sdk.Manifest) { m.Purity = "clean" },
		`score "length" is empty or declar`: func(m *sdk.Manifest) { m.Scores = append(m.Scores, m.Scores...) },
		`unknown capability "root"`:         func(m *sdk.Manifest) { m.Capabilities = []string{"root"} },
		`config.k: unknown type "int"`: func(m *sdk.Manifest) {
			m.Config = &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{"k": {Type: []string{"int"}}}}
		},
		`config.k: the default is string "x"`: func(m *sdk.Manifest) {
			m.Config = &sdk.ConfigSchema{Properties: map[string]sdk.ConfigKey{"k": {Type: []string{"number"}, Default: "x"}}}
		},
		"config.k is required": func(m *sdk.Manifest) { m.Config = &sdk.ConfigSchema{Required: []string{"k"}} },
	} {
		t.Run(want, func(t *testing.T) {
			m := good
			change(&m)
			wantError(t, checkManifest(&m), want)
		})
	}
	if err := checkManifest(&good); err != nil {
		t.Error(err)
	}
}

var schema = &sdk.ConfigSchema{
	Properties: map[string]sdk.ConfigKey{
		"low": {Type: []string{"number", "string"}, Default: 0.5}, "turns": {Type: []string{"integer"}, Default: 2},
		"words": {Type: []string{"array"}}, "name": {Type: []string{"string"}}, "deep": {Type: []string{"object"}},
		"on": {Type: []string{"boolean"}},
	},
	Required: []string{"name"},
}

func TestConfigurationIsFilledIn(t *testing.T) {
	got, err := configure(schema, map[string]any{
		"name": "n", "low": "q05", "turns": 3.0, "words": []any{"a"}, "deep": map[string]any{"k": 1}, "on": true,
	})
	want := `{"deep":{"k":1},"low":"q05","name":"n","on":true,"turns":3,"words":["a"]}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
	got, err = configure(schema, map[string]any{"name": "n"})
	want = `{"low":0.5,"name":"n","turns":2}`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v, want %s", got, err, want)
	}
}

func TestConfigurationProblemsAreNamedAllAtOnce(t *testing.T) {
	_, err := configure(schema, map[string]any{"nmae": "n", "turns": 2.5, "on": "yes", "low": nil})
	wantError(t, err, "with.nmae: unknown key (known: deep, low, name, on, turns, words)", "with.name: missing",
		`with.turns: must be integer, is number "2.5"`, `with.on: must be boolean, is string "yes"`,
		"with.low: must be number or string, is null")
	_, err = configure(nil, map[string]any{"a": 1})
	wantError(t, err, "with.a: unknown key: the plugin takes no configuration")
}

func TestDigestThatTheRecipePinsIsEnforced(t *testing.T) {
	path := honest(ratingsFrame(t, 1, 1)).file(t)
	info, err := Inspect(t.Context(), recipe.Plugin{Use: path}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Inspect(t.Context(), recipe.Plugin{Use: path, SHA256: strings.ToUpper(info.Digest)}, ""); err != nil {
		t.Errorf("its own digest: %v", err)
	}
	_, err = Inspect(t.Context(), recipe.Plugin{Use: path, SHA256: strings.Repeat("0", 64)}, "")
	wantError(t, err, "the recipe pins 0000", info.Digest)
}

func TestPinnedExecutableIsNotStartedWhenItDiffers(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\ntouch " + filepath.Join(dir, "started") + "\n"
	if err := os.WriteFile(filepath.Join(dir, "plugin"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := Inspect(t.Context(), recipe.Plugin{Use: "plugin", SHA256: strings.Repeat("0", 64)}, dir)
	wantError(t, err, "sha256")
	if _, err := os.Stat(filepath.Join(dir, "started")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the executable was started")
	}
}

func TestDigestOfAnInterpreterCoversItsScript(t *testing.T) {
	dir := t.TempDir()
	digest := func(script string, args ...string) string {
		if err := os.WriteFile(filepath.Join(dir, "plugin.py"), []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
		d, err := executableDigest(command{path: "/bin/sh", dir: dir, args: args})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	a, b, none := digest("a", "-u", "plugin.py"), digest("b", "-u", "plugin.py"), digest("b", "-u")
	if a == b || a == none {
		t.Errorf("digests %s, %s, %s", a, b, none)
	}
}

func TestInspectionRunsNoCodeOfAModule(t *testing.T) {
	m := honest(nil)
	m.run, m.arena, m.abi = unreachable, -1, -1
	info, err := Inspect(t.Context(), recipe.Plugin{Use: m.file(t)}, "")
	if err != nil || info.Manifest.Name != "bare" || info.Transport != TransportWasm {
		t.Fatalf("%v, %v", info, err)
	}
}

func TestProcessesOfAPluginEndWithIt(t *testing.T) {
	s := spec(executableOf(t, "liar"))
	s.Plugin.Args = []string{"children"}
	p, err := Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	group := p.pool.idle[0].(*process).runner.cmd.Process.Pid
	if err := syscall.Kill(-group, 0); err != nil {
		t.Fatalf("the process is not in a group of its own: %v", err)
	}
	sockets := p.pool.engine.(*executable).sockets
	if info, err := os.Stat(sockets); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory of sockets: %v, %v", info.Mode(), err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if !goneSoon(group) {
		t.Error("a child of the process is left")
	}
	if _, err := os.Stat(sockets); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the directory of sockets is left")
	}
}

func TestProcessSeesGrantedEnvironmentOnly(t *testing.T) {
	t.Setenv("PLUGIN_TEST_KEY", "secret")
	t.Setenv("PLUGIN_TEST_OTHER", "hidden")
	grant := recipe.Grant{Env: []string{"PLUGIN_TEST_KEY"}, Network: []string{"a:1", "b:2"}}
	got := strings.Join(newCommand("p", "", recipe.Plugin{Grant: grant}).env, " ")
	if want := "CAREBOT_NETWORK=a:1,b:2 PLUGIN_TEST_KEY=secret"; got != want {
		t.Errorf("environment %q, want %q", got, want)
	}
}

func TestModelRequestsNeedTheToken(t *testing.T) {
	s := withModels(spec(executableOf(t, example.Name)))
	p := opened(t, s)
	host := p.pool.engine.(*executable).host
	if _, err := host.ModelEmbed(t.Context(), modelRequest("guess")); err == nil {
		t.Error("a guessed token is good")
	}
	for token := range host.processes {
		if _, err := host.ModelEmbed(t.Context(), modelRequest(token)); err != nil {
			t.Errorf("the token of the process is refused: %v", err)
		}
	}
	if n := s.Models["lm"].(*sdktest.Model).Calls.Load(); n != 0 {
		t.Errorf("a malformed request reached the model %d times", n)
	}
}

func modelRequest(token string) *dp1.ModelRequest {
	return &dp1.ModelRequest{Token: token, Frame: []byte("no frame")}
}

// goneSoon waits for the end of a process group whose members have been killed.
func goneSoon(group int) bool {
	for range 200 {
		if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}
