// Package author is what a plugin's author works with: it builds a plugin's folder, whatever the language, and checks
// the plugin against the cases that lie beside it.
package author

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/plugin"
)

// SDKVariable names the environment variable that holds the folder sdk/ of a checkout. Build takes the kit from there
// instead of the place where it is published.
const SDKVariable = "CAREBOT_SDK"

// A folder is a plugin's folder in the making.
type folder struct {
	dir string // absolute
	out string // absolute: where the module goes
	sdk string // absolute, empty when the published kit is used
}

// A language is one that plugins are written in.
type language struct {
	name  string
	marks []string // patterns of the files that tell the folder
	// build makes the module, without its manifest, which it returns. A language whose plugins are processes has no
	// manifest to pack: use is then what is run, and nothing is written.
	build func(ctx context.Context, f folder) (manifest []byte, use string, err error)
}

// languages are tried in their order.
var languages = []language{
	{"Rust", []string{"Cargo.toml"}, buildRust},
	{"TypeScript", []string{"package.json"}, buildTypeScript},
	{"C", []string{"plugin.c"}, buildC},
	{"Python", []string{"plugin.py"}, buildPython},
	{"Go", []string{"go.mod", "*.go"}, buildGo},
}

// Build builds the plugin in a folder and returns what a recipe's `use` would name: out, a module with its manifest
// packed in, or the script of a plugin that is a process. A tool that is not installed is a *MissingTool.
func Build(ctx context.Context, dir, out string) (use string, err error) {
	l, err := languageOf(dir)
	if err != nil {
		return "", err
	}
	f, err := newFolder(dir, out)
	if err != nil {
		return "", err
	}
	manifest, use, err := l.build(ctx, f)
	if err == nil && use == "" {
		use, err = f.out, pack(f.out, manifest)
	}
	if err != nil {
		return "", fmt.Errorf("build the %s plugin in %s: %w", l.name, dir, err)
	}
	return use, nil
}

func languageOf(dir string) (language, error) {
	var known []string
	for _, l := range languages {
		for _, mark := range l.marks {
			if found, err := filepath.Glob(filepath.Join(dir, mark)); err != nil {
				return language{}, err
			} else if len(found) > 0 {
				return l, nil
			}
		}
		known = append(known, l.name+" ("+strings.Join(l.marks, " or ")+")")
	}
	return language{}, fmt.Errorf("%s is no plugin's folder: it has the files of none of %s",
		dir, strings.Join(known, ", "))
}

func newFolder(dir, out string) (f folder, err error) {
	if f.dir, err = filepath.Abs(dir); err != nil {
		return f, err
	}
	if f.out, err = filepath.Abs(out); err != nil {
		return f, err
	}
	if kit := os.Getenv(SDKVariable); kit != "" {
		f.sdk, err = filepath.Abs(kit)
	}
	return f, err
}

// manifest reads the manifest of languages that keep it in a file.
func (f folder) manifest() ([]byte, error) { return os.ReadFile(filepath.Join(f.dir, "manifest.json")) }

// pack puts the manifest into the module.
func pack(path string, manifest []byte) error {
	module, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	packed, err := plugin.Pack(module, manifest)
	if err != nil {
		return err
	}
	return os.WriteFile(path, packed, 0o644)
}
