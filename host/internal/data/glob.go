package data

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// glob returns the files below fsys that a slash-separated pattern matches, sorted. Its segments match as those of
// path.Match; the segment ** crosses any number of folders, without following links. Names that begin with a dot match
// only segments that do.
func glob(fsys fs.FS, pattern string) ([]string, error) {
	if info, err := fs.Stat(fsys, pattern); err == nil {
		if info.IsDir() {
			return nil, fmt.Errorf("%s is a folder; add a pattern such as /*.jsonl", pattern)
		}
		return []string{pattern}, nil
	}
	g := globber{fsys: fsys, found: map[string]bool{}}
	if err := g.walk(".", strings.Split(pattern, "/")); err != nil {
		return nil, err
	}
	slices.Sort(g.files)
	return g.files, nil
}

type globber struct {
	fsys  fs.FS
	found map[string]bool
	files []string
}

// walk matches the segments against what lies in dir.
func (g *globber) walk(dir string, segments []string) error {
	entries, err := fs.ReadDir(g.fsys, dir)
	if err != nil {
		return err
	}
	first, rest := segments[0], segments[1:]
	if first == "**" && len(rest) > 0 {
		if err := g.walk(dir, rest); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if err := g.entry(path.Join(dir, e.Name()), e, first, rest); err != nil {
			return err
		}
	}
	return nil
}

// entry matches one entry with the first segment and goes on below it with the rest.
func (g *globber) entry(name string, e fs.DirEntry, first string, rest []string) error {
	if strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(first, ".") {
		return nil
	}
	if first == "**" {
		if e.IsDir() {
			return g.walk(name, append([]string{"**"}, rest...))
		}
		return g.add(name, len(rest) == 0)
	}
	ok, err := path.Match(first, e.Name())
	if err != nil || !ok {
		return err
	}
	if len(rest) == 0 {
		return g.add(name, true)
	}
	if info, err := fs.Stat(g.fsys, name); err != nil || !info.IsDir() {
		return err
	}
	return g.walk(name, rest)
}

// add notes a file that the whole pattern matches; several ways through ** lead to the same file.
func (g *globber) add(name string, whole bool) error {
	if !whole || g.found[name] {
		return nil
	}
	info, err := fs.Stat(g.fsys, name)
	if err == nil && !info.IsDir() {
		g.found[name] = true
		g.files = append(g.files, name)
	}
	return err
}
