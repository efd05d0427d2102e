package recipe

import (
	"fmt"
	"io"
	"os"
	"reflect"
)

// Load reads a recipe, lays the overrides (each key.path=value, the value as YAML, null to remove the key) over it,
// fills in the defaults and checks everything. Relative paths count from the folder of the file, those of the command
// line from the working directory. What is wrong with a recipe comes back as Problems, all of it at once; other
// errors mean that the file cannot be read.
func Load(file string, overrides []string) (*Recipe, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, fmt.Errorf("read recipe: %w", err)
	}
	return Parse(file, data, overrides)
}

// Parse is Load for a recipe whose text is at hand; file is where it stands, or would.
func Parse(file string, data []byte, overrides []string) (*Recipe, error) {
	r, problems := parse(file, data, overrides)
	if len(problems) > 0 {
		return nil, problems
	}
	return r, nil
}

// readFile reads one byte more than a file may have, which parseTree then finds too large.
func readFile(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

func parse(file string, data []byte, overrides []string) (*Recipe, Problems) {
	t := parseTree(file, data)
	if t.root == nil {
		return nil, t.problems.sorted()
	}
	layer(t, overrides)
	r := &Recipe{File: file}
	d := decoder{places: t.places}
	d.decode(t.root, recipeShape(), rules{}, nil, reflect.ValueOf(r).Elem())
	r.derive()
	c := checker{Recipe: r, places: t.places}
	problems := append(append(t.problems, d.problems...), d.unread...)
	return r, append(problems, c.check()...).sorted()
}
