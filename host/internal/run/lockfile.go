package run

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// lockFile holds the resolved recipe and the digests of everything that went in.
const lockFile = "recipe.lock.yaml"

// locked is the digests' part of the lock file.
type locked struct {
	Binary   string            `yaml:"binary"` // version of the program
	Folder   string            `yaml:"folder"` // of the recipe, from the run directory
	Finished bool              `yaml:"finished"`
	Digests  map[string]string `yaml:"digests"`
	Hub      map[string]string `yaml:"hub,omitempty"`   // commit of each hf:// name, with its revision
	Stages   map[string]string `yaml:"stages"`          // key of each stage
	Swaps    map[string][]Swap `yaml:"swaps,omitempty"` // by stage
}

// A lockDocument is a lock file as it is read.
type lockDocument struct {
	Lock   locked
	Recipe yaml.Node
}

func (p *Process) writeLockFile(finished bool) error {
	l := locked{Binary: p.options.Version, Folder: p.folder(), Finished: finished, Digests: map[string]string{},
		Hub: p.commits(), Stages: p.keys, Swaps: p.swaps()}
	for _, name := range slices.Sorted(maps.Keys(p.digests)) {
		l.Digests[name] = "sha256:" + p.digests[name]
	}
	text, err := yaml.Marshal(struct {
		Lock locked `yaml:"lock"`
	}{l})
	if err != nil {
		return fmt.Errorf("lock file: %w", err)
	}
	text = append(append(text, "\n# The recipe with all defaults and overrides.\nrecipe:\n"...), indent(p.recipe.Resolved())...)
	return durable.WriteFile(filepath.Join(p.dir, lockFile), text)
}

// folder is the way from the run directory to the folder of the recipe, so that both may be moved together.
func (p *Process) folder() string {
	from, err := filepath.Abs(p.dir)
	to, err2 := filepath.Abs(p.recipeDir())
	way, err3 := filepath.Rel(from, to)
	if err := errors.Join(err, err2, err3); err != nil {
		return p.recipeDir()
	}
	return filepath.ToSlash(way)
}

// swaps are those that the stages of this run carry.
func (p *Process) swaps() map[string][]Swap {
	all := map[string][]Swap{}
	for name, in := range p.ledger {
		if key, err := in.digest(); err == nil && key == p.keys[name] && len(in.Swaps) > 0 {
			all[name] = in.Swaps
		}
	}
	return all
}

// maxLock bounds a lock file, in bytes.
const maxLock = 16 << 20

// readLock reads the lock file of a run directory; that of a directory without one is empty.
func readLock(dir string) (l lockDocument, err error) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, os.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return l, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxLock))
	if err = errors.Join(err, f.Close()); err == nil {
		err = yaml.Unmarshal(text, &l)
	}
	if err != nil {
		return l, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return l, nil
}

// ErrNoRun says that a directory is none of a run.
var ErrNoRun = errors.New("no run")

// Open prepares the process of a run directory from its lock file; it touches nothing.
func Open(dir string, o Options) (*Process, error) {
	l, err := readLock(dir)
	if err != nil {
		return nil, err
	}
	if l.Recipe.IsZero() {
		return nil, fmt.Errorf("%w in %s: it has no %s", ErrNoRun, dir, lockFile)
	}
	text, err := yaml.Marshal(&l.Recipe)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", lockFile, err)
	}
	folder := filepath.FromSlash(l.Lock.Folder)
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(dir, folder)
	}
	r, err := recipe.Parse(filepath.Join(folder, lockFile), text, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, lockFile), err)
	}
	p := New(r, o)
	p.dir = dir
	return p, nil
}

// indent moves YAML text one level to the right.
func indent(text []byte) []byte {
	out := []byte("  ")
	for i, c := range text {
		out = append(out, c)
		if c == '\n' && i+1 < len(text) {
			out = append(out, "  "...)
		}
	}
	return out
}
