// Command generate writes the sample data below recipes/samples: documents, dialogues, preferences and exams in two
// languages, all made from the tables of this package. They state one knowledge base of medical and one of general
// facts; every fact is worded in many ways, so that a model can learn it, and exams ask it in words that no training
// file holds.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	out := flag.String("out", ".", "folder to write to")
	flag.Parse()
	for _, f := range build() {
		if err := f.write(*out); err != nil {
			fmt.Fprintln(os.Stderr, "generate:", err)
			os.Exit(1)
		}
	}
}

// lines is the file's content before compression.
func (f file) lines() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, r := range f.records {
		if err := e.Encode(r); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

func (f file) write(dir string) error {
	path := filepath.Join(dir, filepath.FromSlash(f.path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of %s: %w", f.path, err)
	}
	content := f.lines()
	if strings.HasSuffix(f.path, ".gz") {
		content = compress(content)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

// compress leaves the time and the name out of the header, so that equal content makes equal files.
func compress(content []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.Bytes()
}
