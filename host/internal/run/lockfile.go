package run

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// lockFile holds the resolved recipe and the digests of everything that went in.
const lockFile = "recipe.lock.yaml"

// locked is the digests' part of the lock file.
type locked struct {
	Binary  string            `yaml:"binary"` // version of the program
	Digests map[string]string `yaml:"digests"`
	Stages  map[string]string `yaml:"stages"` // key of each stage
}

func (p *Process) writeLockFile() error {
	l := locked{Binary: p.options.Version, Digests: map[string]string{}, Stages: p.keys}
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
