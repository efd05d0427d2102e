package recipe

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const (
	module    = "github.com/carebot-llm/carebot"
	moduleDir = "../../.."
)

// A loader type-checks this module's packages from their sources. Of the standard library it knows the declarations,
// of other modules only the names of the packages: what depends on those has no type, and that no recipe value does.
type loader struct {
	files    *token.FileSet
	packages map[string]*types.Package
	uses     map[*ast.SelectorExpr]*types.Selection
}

func (l *loader) Import(name string) (*types.Package, error) {
	if p, ok := l.packages[name]; ok {
		return p, nil
	}
	dir, own := strings.CutPrefix(name, module)
	switch {
	case name == "unsafe":
		return types.Unsafe, nil
	case own:
		dir = filepath.Join(moduleDir, dir)
	case !strings.Contains(strings.Split(name, "/")[0], "."):
		dir = filepath.Join(build.Default.GOROOT, "src", name)
	default:
		l.packages[name] = types.NewPackage(name, filepath.Base(name))
		l.packages[name].MarkComplete()
		return l.packages[name], nil
	}
	conf := types.Config{Importer: l, IgnoreFuncBodies: !own, FakeImportC: true, Error: func(error) {}}
	info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}}
	p, _ := conf.Check(name, l.files, l.parse(dir), info) // what is wrong with a package its own build says
	l.packages[name] = p
	for expr, s := range info.Selections {
		l.uses[expr] = s
	}
	return p, nil
}

// parse reads the files of a directory that a build without cgo would take.
func (l *loader) parse(dir string) []*ast.File {
	context := build.Default
	context.CgoEnabled = false
	p, err := context.ImportDir(dir, 0)
	if err != nil {
		return nil
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(l.files, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		files = append(files, f)
	}
	return files
}

// keyFields lists the struct fields of this package that are keys, as Type.Field.
func keyFields(p *types.Package) map[*types.Var]string {
	fields := map[*types.Var]string{}
	for _, name := range p.Scope().Names() {
		s, ok := p.Scope().Lookup(name).Type().Underlying().(*types.Struct)
		if !ok {
			continue
		}
		for i := range s.NumFields() {
			if key, ok := reflect.StructTag(s.Tag(i)).Lookup("key"); ok {
				fields[s.Field(i)] = "the key " + key + " (" + name + "." + s.Field(i).Name() + ")"
			}
		}
	}
	return fields
}

// hostPackages are the import paths of the packages below host, without this one.
func hostPackages(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(filepath.Join(moduleDir, "host"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		dir, err := filepath.Rel(moduleDir, filepath.Dir(file))
		all = append(all, module+"/"+filepath.ToSlash(dir))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A key that nothing reads is worse than an unknown key, which is at least reported. Decoding and checking a key is
// not reading it: in this package only graph.go, which answers for others, counts.
func TestEveryKeyIsRead(t *testing.T) {
	l := &loader{token.NewFileSet(), map[string]*types.Package{}, map[*ast.SelectorExpr]*types.Selection{}}
	own, err := l.Import(module + "/host/internal/recipe")
	if err != nil {
		t.Fatal(err)
	}
	unread := keyFields(own)
	if len(unread) < 50 {
		t.Fatalf("only %d keys were found", len(unread))
	}
	for _, name := range hostPackages(t) {
		if _, err := l.Import(name); err != nil {
			t.Fatal(err)
		}
	}
	for expr, s := range l.uses {
		file := l.files.Position(expr.Pos()).Filename
		counts := !strings.Contains(file, "internal/recipe/") || filepath.Base(file) == "graph.go"
		if v, ok := s.Obj().(*types.Var); ok && counts {
			delete(unread, v)
		}
	}
	var left []string
	for _, name := range unread {
		left = append(left, name)
	}
	slices.Sort(left)
	for _, name := range left {
		t.Errorf("nothing reads %s", name)
	}
}
