package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// TestTheReadmesPluginBuildsAsModuleAndProcess takes the README at its word.
func TestTheReadmesPluginBuildsAsModuleAndProcess(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(text), "```go\n")
	code, _, found := strings.Cut(code, "```")
	if !found {
		t.Fatal("the README has no plugin")
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte(code), 0o644); err != nil {
		t.Fatal(err)
	}
	process, raw := filepath.Join(dir, "no-open-end"), filepath.Join(dir, "raw")
	build(t, nil, "-o", process, source)
	build(t, []string{"GOOS=wasip1", "GOARCH=wasm"}, "-buildmode=c-shared", "-o", raw, source)
	module := pack(t, raw, process)
	for _, use := range []string{process, module} {
		info, err := plugin.Inspect(t.Context(), recipe.Plugin{Use: use}, dir)
		if err != nil || info.Manifest.Name != "no-open-end" {
			t.Errorf("%s describes itself as %q: %v", use, info.Manifest.Name, err)
		}
	}
}

func build(t *testing.T, env []string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{"build"}, args...)...)
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %v: %v\n%s", args, err, out)
	}
}

// pack puts the manifest that the process prints into the module.
func pack(t *testing.T, raw, process string) string {
	t.Helper()
	manifest, err := exec.Command(process, "-manifest").Output()
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := plugin.Pack(code, manifest)
	if err != nil {
		t.Fatal(err)
	}
	module := raw + ".wasm"
	if err := os.WriteFile(module, packed, 0o644); err != nil {
		t.Fatal(err)
	}
	return module
}
