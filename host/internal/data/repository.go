package data

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/hub"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// Readme is the file in which a repository says which files belong to which configuration and split.
const Readme = "README.md"

const (
	// MaxReadme bounds a Readme, in bytes.
	MaxReadme     = 4 << 20
	maxRepository = 1 << 20 // files
)

// A Repository is a folder laid out as a Hugging Face dataset: its files, seen from it, and what its Readme says.
type Repository struct {
	Files  []string
	Readme []byte
}

// fromFolder resolves the dataset's from: a folder, or a repository in the cache.
func fromFolder(ds recipe.Dataset, root string) ([]File, error) {
	dir, below := ds.From, ""
	name := func(found string) string { return seenFrom(root, filepath.Join(dir, found)) }
	if hub.Named(ds.From) {
		ref, err := hub.Parse(ds.From)
		if err != nil {
			return nil, err
		}
		s, err := hub.Locate(ref)
		if err != nil {
			return nil, err
		}
		dir, below = s.Dir, ref.Path
		name = func(found string) string { return ref.String() + "/" + found }
	} else if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	paths, err := chooseIn(dir, below, ds)
	if err != nil {
		return nil, fmt.Errorf("folder %s: %w", ds.From, err)
	}
	files := make([]File, len(paths))
	for i, p := range paths {
		files[i] = File{Name: name(p), fsys: os.DirFS(dir), path: p}
	}
	return files, nil
}

// chooseIn chooses among the files that lie in a folder.
func chooseIn(dir, below string, ds recipe.Dataset) ([]string, error) {
	if saved, err := savedFiles(dir, ds); saved != nil || err != nil {
		return saved, err
	}
	r, err := openRepository(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	return r.Choose(below, ds)
}

func openRepository(fsys fs.FS) (r Repository, err error) {
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir():
			r.Files = append(r.Files, name)
		}
		if len(r.Files) > maxRepository {
			return fmt.Errorf("more than %d files", maxRepository)
		}
		return nil
	})
	if err == nil && slices.Contains(r.Files, Readme) {
		r.Readme, err = readBounded(fsys, Readme, MaxReadme)
	}
	return r, err
}

func readBounded(fsys fs.FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err = errors.Join(err, f.Close()); err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is longer than %d bytes", name, most)
	}
	return text, err
}

// Choose are the files of the dataset's configuration and split, sorted; below is a file, folder or pattern in the
// repository that they are to be.
func (r Repository) Choose(below string, ds recipe.Dataset) ([]string, error) {
	files := slices.Sorted(slices.Values(r.Files))
	files = slices.DeleteFunc(files, func(name string) bool { return !isData(name) })
	if below != "" {
		if found := matching(files, below); len(found) > 0 {
			return found, nil
		}
		if files = inside(files, below); len(files) == 0 {
			return nil, fmt.Errorf("it has no data in %s", below)
		}
		return oneSplit(bySplit(files), ds.Split)
	}
	c, err := r.configuration(ds.Config)
	if err != nil {
		return nil, err
	}
	if c == nil && ds.Config != "" {
		c = &configuration{Name: ds.Config, DataDir: ds.Config}
	}
	if c == nil {
		return oneSplit(bySplit(files), ds.Split)
	}
	return c.choose(files, ds.Split)
}

// isData reports whether a file holds records: it has an ending that is known, and is none of those that describe.
func isData(name string) bool {
	switch path.Base(name) {
	case "dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json", "requirements.txt", "LICENSE.txt":
		return false
	}
	_, known := endings[path.Ext(File{Name: name}.stem())]
	return known
}

func inside(files []string, folder string) []string {
	folder = strings.TrimSuffix(path.Clean(folder), "/") + "/"
	return slices.DeleteFunc(slices.Clone(files), func(name string) bool { return !strings.HasPrefix(name, folder) })
}

// matching are the files that a pattern as of glob matches.
func matching(files []string, pattern string) []string {
	segments := strings.Split(path.Clean(pattern), "/")
	return slices.DeleteFunc(slices.Clone(files), func(name string) bool {
		return name != pattern && !segmentsMatch(segments, strings.Split(name, "/"))
	})
}

func segmentsMatch(pattern, name []string) bool {
	switch {
	case len(pattern) == 0:
		return len(name) == 0
	case pattern[0] == "**" && len(pattern) == 1:
		return len(name) > 0
	case pattern[0] == "**":
		return segmentsMatch(pattern[1:], name) || len(name) > 0 && segmentsMatch(pattern, name[1:])
	case len(name) == 0:
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return err == nil && ok && segmentsMatch(pattern[1:], name[1:])
}
