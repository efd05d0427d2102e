package author

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/sdk/examples"
	"github.com/carebot-llm/carebot/sdk/sdktest/toolchain"
)

func TestMain(m *testing.M) {
	plugin.Reexec()
	os.Exit(m.Run())
}

// kit is the folder of the software development kits.
const kit = "../../../sdk"

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Fatalf("error %v, want one with %q", err, part)
		}
	}
}

// folders are the examples, LANGUAGE/KIND.
func folders(t *testing.T) []string {
	t.Helper()
	var all []string
	languages, err := examples.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range languages {
		kinds, err := examples.Files.ReadDir(l.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kinds {
			all = append(all, path.Join(l.Name(), k.Name()))
		}
	}
	return all
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// authored copies an example into a folder of its own, as an author has it.
func authored(t *testing.T, folder string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plugin")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(kit, "examples", folder))); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(folder, "go/") {
		write(t, filepath.Join(dir, "go.mod"), "module my-plugin\n\ngo 1.26\n")
	}
	return dir
}

func TestEveryExampleBuildsAndPassesItsCases(t *testing.T) {
	sdkDir, err := filepath.Abs(kit)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(SDKVariable, sdkDir)
	toolchain.See(t, kit)
	t.Setenv("CARGO_TARGET_DIR", t.TempDir())
	for _, folder := range folders(t) {
		t.Run(folder, func(t *testing.T) {
			dir := authored(t, folder)
			use, err := Build(t.Context(), dir, filepath.Join(t.TempDir(), "plugin.wasm"))
			var missing *MissingTool
			if errors.As(err, &missing) {
				toolchain.Need(t, missing)
			}
			if err != nil {
				t.Fatal(err)
			}
			checkExample(t, use, filepath.Join(dir, "cases.jsonl"))
		})
	}
}

func checkExample(t *testing.T, use, file string) {
	t.Helper()
	cases, err := ReadCases(file)
	if err != nil {
		t.Fatal(err)
	}
	failures, err := Check(t.Context(), spec(use), cases)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failures {
		t.Error(f)
	}
	if len(cases) == 0 {
		t.Error("no cases")
	}
}

func TestExamplesOfAKindHaveTheSameCases(t *testing.T) {
	for _, folder := range folders(t) {
		got, err := examples.Files.ReadFile(path.Join(folder, "cases.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		want, err := examples.Files.ReadFile(path.Join("go", path.Base(folder), "cases.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("the cases of %s are not those of go/%s", folder, path.Base(folder))
		}
	}
}

func TestFolderOfNoLanguageIsRefused(t *testing.T) {
	_, err := Build(t.Context(), t.TempDir(), "out.wasm")
	wantError(t, err, "no plugin's folder", "Rust (Cargo.toml)", "C (plugin.c)", "Go (go.mod or *.go)")
}

func TestMissingToolIsNamedWithItsPackage(t *testing.T) {
	dir := authored(t, "go/scorer")
	t.Setenv("PATH", "")
	_, err := Build(t.Context(), dir, "out.wasm")
	wantError(t, err, "build the Go plugin in "+dir, "go is not installed", "apt-get install golang")
	var missing *MissingTool
	if !errors.As(err, &missing) {
		t.Errorf("%T", err)
	}
}

func TestCompilersComplaintIsTheError(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.go"), "package main\n\nfunc main() { no() }\n")
	write(t, filepath.Join(dir, "go.mod"), "module my-plugin\n")
	_, err := Build(t.Context(), dir, filepath.Join(dir, "out.wasm"))
	wantError(t, err, "main.go:3", "undefined: no")
}
