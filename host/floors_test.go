// Package host_test holds the house to its plan: which package may import which.
package host_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/carebot-llm/carebot/"

// floors are the packages from the cellar to the roof; imports go down only, and packages of one floor do not know
// each other. A name that ends in /... stands for all packages below it.
var floors = [][]string{
	{"sdk", "accelerators", "host/internal/durable", "host/internal/half", "host/internal/wasm", "host/internal/jinja", "recipes/..."},
	{"sdk/...", "accelerators/...", "host/internal/recipe", "host/internal/arrow", "host/internal/hub", "host/internal/adopt", "host/internal/oci"},
	{"host/internal/tokenizer", "host/internal/plugin", "host/internal/tensor", "plugins/..."},
	{"host/internal/data", "host/internal/model", "host/internal/checkpoint", "host/internal/gguf"},
	{"host/internal/train", "host/internal/eval", "host/internal/llamacpp", "host/internal/author"},
	{"host/internal/run", "host/internal/serve"},
	{"host/cmd/carebot", "host/cmd/bench", "host/cmd/compatibility"},
}

// families are the packages of one floor that may know each other, since they are one thing in several folders.
var families = []string{"sdk/", "accelerators/", "recipes/"}

// The two staircases: a record never knows a tensor, a tensor never knows a record. They meet in train and eval.
var (
	textStairs = []string{
		"sdk", "host/internal/jinja", "host/internal/tokenizer", "host/internal/plugin", "host/internal/data",
	}
	numberStairs = []string{"accelerators", "host/internal/tensor", "host/internal/model"}
)

// A source is what one file that is no test says about itself.
type source struct {
	file, folder, name string
	imports            []string
}

// sources reads the package clauses and imports of the whole module, whatever the build tags.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir("..", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != ".." && (strings.ContainsAny(d.Name()[:1], "._") || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel("..", filepath.Dir(file))
		all = append(all, source{file, filepath.ToSlash(folder), tree.Name.Name, importsOf(tree)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func importsOf(tree *ast.File) []string {
	var paths []string
	for _, spec := range tree.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has read it
		}
		paths = append(paths, path)
	}
	return paths
}

// floorOf is the number of a package's floor, or -1.
func floorOf(folder string) int {
	exact := slices.IndexFunc(floors, func(floor []string) bool { return slices.Contains(floor, folder) })
	if exact >= 0 {
		return exact
	}
	return slices.IndexFunc(floors, func(floor []string) bool {
		return slices.ContainsFunc(floor, func(name string) bool {
			tree, all := strings.CutSuffix(name, "...")
			return all && strings.HasPrefix(folder, tree)
		})
	})
}

func related(a, b string) bool {
	return slices.ContainsFunc(families, func(family string) bool {
		return strings.HasPrefix(a, family) && strings.HasPrefix(b, family)
	})
}

func within(folder string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return folder == name || strings.HasPrefix(folder, name+"/")
	})
}

func TestImportsGoDownOnly(t *testing.T) {
	checked := map[string]bool{}
	for _, s := range sources(t) {
		for _, path := range s.imports {
			target, own := strings.CutPrefix(path, module)
			if !own || within(s.folder, []string{"plugins"}) {
				continue
			}
			checked[target] = true
			from, to := floorOf(s.folder), floorOf(target)
			switch {
			case from < 0:
				t.Errorf("%s: %s has no floor", s.file, s.folder)
			case to < 0:
				t.Errorf("%s imports %s, which has no floor", s.file, target)
			case to >= from && !related(s.folder, target):
				t.Errorf("%s: %s (floor %d) imports %s (floor %d)", s.file, s.folder, from, target, to)
			}
		}
	}
	if len(checked) < 10 {
		t.Errorf("only the imports of %v were seen", slices.Sorted(maps.Keys(checked)))
	}
}

func TestRecordsAndTensorsDoNotKnowEachOther(t *testing.T) {
	for _, s := range sources(t) {
		for _, path := range s.imports {
			target, own := strings.CutPrefix(path, module)
			if own && (within(s.folder, textStairs) && within(target, numberStairs) ||
				within(s.folder, numberStairs) && within(target, textStairs)) {
				t.Errorf("%s imports %s", s.file, target)
			}
		}
	}
}

func TestSDKImportsTheStandardLibraryOnly(t *testing.T) {
	for _, s := range sources(t) {
		for _, path := range s.imports {
			if s.folder == "sdk" && strings.Contains(strings.Split(path, "/")[0], ".") {
				t.Errorf("%s imports %s", s.file, path)
			}
		}
	}
}

// A first-party plugin must be possible for a stranger: it sees the SDK, and its own folder.
func TestPluginsImportTheSDKOnly(t *testing.T) {
	for _, s := range sources(t) {
		parts := strings.Split(s.folder, "/")
		if parts[0] != "plugins" || len(parts) < 2 {
			continue
		}
		allowed := []string{"sdk", "sdk/wire"}
		for _, path := range s.imports {
			target, own := strings.CutPrefix(path, module)
			if own && !slices.Contains(allowed, target) && !within(target, []string{"plugins/" + parts[1]}) {
				t.Errorf("%s imports %s", s.file, target)
			}
		}
	}
}

func TestNoPackageIsADrawer(t *testing.T) {
	drawers := []string{"utils", "util", "common", "helpers", "types", "pkg"}
	for _, s := range sources(t) {
		for _, name := range append(strings.Split(s.folder, "/"), s.name) {
			if slices.Contains(drawers, name) {
				t.Errorf("%s: a package is called %s", s.file, name)
			}
		}
	}
}
