package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/checkpoint"
	"github.com/carebot-llm/carebot/host/internal/durable"
)

// claimFile names the inputs that a stage directory belongs to.
const claimFile = "inputs.json"

// inputs is what claimFile holds: what a stage is made of. The swaps are the stage's ledger of rewards that took over
// while it ran.
type inputs struct {
	Key   string `json:"key"` // of what the recipe declares
	Swaps []Swap `json:"swaps,omitempty"`
}

// digest is the stage's key. That of a stage with swaps is another than that of the recipe, which asks for none.
func (in inputs) digest() (string, error) {
	if len(in.Swaps) == 0 {
		return in.Key, nil
	}
	identities := make([]any, len(in.Swaps))
	for i, s := range in.Swaps {
		identities[i] = s.identity()
	}
	return digest(in.Key, identities)
}

// equal reports whether these are the same inputs.
func (in inputs) equal(other inputs) bool {
	return in.Key == other.Key && slices.EqualFunc(in.Swaps, other.Swaps, func(a, b Swap) bool {
		return a.identity() == b.identity()
	})
}

func (in inputs) write(dir string) error {
	return checkpoint.WriteJSON(filepath.Join(dir, claimFile), in)
}

// claimed are the inputs that a stage directory belongs to; without a key when it belongs to none.
func claimed(dir string) (in inputs) {
	if err := checkpoint.ReadJSON(filepath.Join(dir, claimFile), &in); err != nil {
		return inputs{}
	}
	return in
}

// claim makes dir the place of a stage with these inputs: what other inputs left goes, what the same inputs left stays
// to be gone on from, but for what a killed process did not finish.
func claim(dir string, in inputs) error {
	if claimed(dir).equal(in) {
		return removeUnfinished(dir)
	}
	if err := empty(dir); err != nil {
		return fmt.Errorf("clear stage directory: %w", err)
	}
	return in.write(dir)
}

// empty makes dir an empty directory. An old one loses its name first: a process that is killed meanwhile leaves no
// half of a done stage.
func empty(dir string) error {
	aside := dir + durable.Suffix
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := os.Rename(dir, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return errors.Join(os.RemoveAll(aside), os.MkdirAll(dir, 0o755))
}

func removeUnfinished(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), durable.Suffix) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
