//go:build cuda

package cuda

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/accelerators/cuda/cublaslt"
)

const (
	mostChoices   = 4096
	mostFileBytes = 4 << 20
)

// choices are the algorithms that were the quickest, by classes of products. They are kept in a file for each GPU and
// version of the library: algorithms differ in the order of their sums, so a run that goes on after a break has the
// bits of one without only if it takes the same algorithms. What is in the file already is therefore never replaced.
type choices struct {
	file  string
	known map[form]cublaslt.Algorithm
	told  bool // that they are not kept
}

// A choice is an entry of the file.
type choice struct {
	Form      form
	Algorithm cublaslt.Algorithm
}

func readChoices(gpu, version string) *choices {
	name := regexp.MustCompile(`[^A-Za-z0-9.]+`).ReplaceAllString(gpu+"-"+version, "-")
	c := &choices{file: filepath.Join(cacheFolder(), "cublaslt", name+".json"), known: map[form]cublaslt.Algorithm{}}
	if err := c.read(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		slog.Warn("choices of algorithms are made anew", "file", c.file, "problem", err)
	}
	return c
}

// cacheFolder is that of what can be made again: CAREBOT_CACHE, or carebot in the user's folder of caches.
func cacheFolder() string {
	if folder := os.Getenv("CAREBOT_CACHE"); folder != "" {
		return folder
	}
	folder, err := os.UserCacheDir()
	if err != nil { // no home directory, as in a container
		folder = os.TempDir()
	}
	return filepath.Join(folder, "carebot")
}

// read takes in what the file holds, which goes before what is known: all of it, or nothing where it is not whole.
func (c *choices) read() error {
	list, err := readList(c.file)
	for _, one := range list {
		c.known[one.Form] = one.Algorithm
	}
	return err
}

func readList(file string) ([]choice, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no file")
	}
	if info.Size() > mostFileBytes {
		return nil, fmt.Errorf("it has %d bytes, want at most %d", info.Size(), mostFileBytes)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var list []choice
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, err
	}
	if len(list) > mostChoices {
		return nil, fmt.Errorf("it has %d entries, want at most %d", len(list), mostChoices)
	}
	return list, nil
}

func (c *choices) of(class form) (cublaslt.Algorithm, bool) {
	a, known := c.known[class]
	return a, known
}

// full reports whether no more choices are kept; what is new is then computed as the library suggests.
func (c *choices) full() bool { return len(c.known) >= mostChoices }

// add keeps a choice, unless another process has made one for the class meanwhile, and returns what holds.
func (c *choices) add(class form, a cublaslt.Algorithm) cublaslt.Algorithm {
	c.known[class] = a
	_ = c.read() // a file that is not whole is written anew
	if err := c.write(); err != nil && !c.told {
		c.told = true
		slog.Warn("choices of algorithms are not kept: a run that goes on later may have other bits", "problem", err)
	}
	return c.known[class]
}

// write writes the file beside its name and renames it, so that it is whole.
func (c *choices) write() error {
	text, err := json.Marshal(c.list())
	if err != nil {
		return err
	}
	folder := filepath.Dir(c.file)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	beside, err := os.CreateTemp(folder, "*.partial")
	if err != nil {
		return err
	}
	_, err = beside.Write(append(text, '\n'))
	if err = errors.Join(err, beside.Close()); err == nil {
		err = os.Rename(beside.Name(), c.file)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(beside.Name()))
	}
	return err
}

func (c *choices) list() []choice {
	list := make([]choice, 0, len(c.known))
	for class, a := range c.known {
		list = append(list, choice{class, a})
	}
	slices.SortFunc(list, func(a, b choice) int { return strings.Compare(fmt.Sprint(a.Form), fmt.Sprint(b.Form)) })
	return list
}
