// Package adopt turns the training files of LLaMA-Factory and axolotl into recipes. What has no counterpart is listed
// with the reason, never dropped silently; what would make the training another one is an error.
//
// Reading order: Adopt, keys (what stands in the file and what became of it), training (what both programs mean),
// llamaFactory and axolotl (what their keys mean).
package adopt

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Left is a key that was not carried over, and why.
type Left struct{ Key, Why string }

func (l Left) String() string { return "not carried over: " + l.Key + ": " + l.Why }

// A Recipe is what became of a training file.
type Recipe struct {
	From string // the program whose file it was
	Text []byte // YAML; its first lines say what was left
	Left []Left // in the order of the file
}

// programs are those whose files are known, with keys that only theirs have.
var programs = []struct {
	name  string
	signs []string
	read  func(*keys) (*training, error)
}{
	{"LLaMA-Factory", []string{"model_name_or_path"}, llamaFactory},
	{"axolotl", []string{"base_model"}, axolotl},
}

// Adopt reads a training file, which its keys tell to be LLaMA-Factory's or axolotl's.
func Adopt(file string, text []byte) (*Recipe, error) {
	k, err := readKeys(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	k.dir = filepath.Dir(file)
	for _, p := range programs {
		if !slices.ContainsFunc(p.signs, k.has) {
			continue
		}
		t, err := p.read(k)
		if err != nil {
			return nil, fmt.Errorf("%s, of %s: %w", file, p.name, err)
		}
		return t.recipe(filepath.Base(file), p.name, k.rest())
	}
	return nil, fmt.Errorf("%s is a training file neither of LLaMA-Factory (model_name_or_path) "+
		"nor of axolotl (base_model)", file)
}

// recipe writes the recipe, and before it what it lacks.
func (t *training) recipe(file, program string, left []Left) (*Recipe, error) {
	if len(t.datasets) == 0 {
		return nil, errors.New("it names no data")
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# Made of %s of %s by carebot import. Relative paths count from the folder of this file.\n",
		oneLine(file), program)
	for _, l := range left {
		fmt.Fprintf(&out, "# %s\n", oneLine(l.String()))
	}
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(t.mapping()); err != nil {
		return nil, fmt.Errorf("write the recipe: %w", err)
	}
	return &Recipe{program, out.Bytes(), left}, nil
}

// oneLine keeps text from elsewhere within its comment.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, text)
}
