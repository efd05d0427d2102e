//go:build cuda

package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/carebot-llm/carebot/accelerators/cuda/nvrtc"
)

// A cache keeps what the compiler made, by all that it was made from, since large families take minutes.
type cache struct {
	compiler *nvrtc.Compiler
	folder   string
	version  string
	headers  string // the text of all headers
}

func newCache(c *nvrtc.Compiler, folder, version, sources string) (*cache, error) {
	files, err := filepath.Glob(filepath.Join(sources, "*.cuh"))
	if err != nil {
		return nil, err
	}
	headers := ""
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		headers += filepath.Base(file) + "\n" + string(text)
	}
	return &cache{c, folder, version, headers}, os.MkdirAll(folder, 0o755)
}

func (c *cache) compile(name, source string, options []string) (image []byte, log string, err error) {
	key := fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, c.version, name, options, source, c.headers)))
	at := filepath.Join(c.folder, key)
	kept, err := os.ReadFile(at + ".log") // written last
	if err == nil {
		image, err = os.ReadFile(at + ".image")
		return image, string(kept), err
	}
	image, log, err = c.compiler.Compile(name, source, options...)
	if err != nil {
		return nil, log, err
	}
	if err := os.WriteFile(at+".image", image, 0o644); err != nil {
		return nil, "", err
	}
	return image, log, os.WriteFile(at+".log", []byte(log), 0o644)
}
