package oci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// Fetch returns the file of a module that a recipe names by reference. It comes from the folder dir or, the first time,
// from where the reference says. The reference must have a digest, so that the recipe says what runs.
func Fetch(ctx context.Context, ref, dir string) (path string, err error) {
	r, err := parse(ref)
	if err != nil {
		return "", err
	}
	if !r.pinned() {
		return "", fmt.Errorf("%s names a tag, which may come to mean something else: "+
			"take the reference with a digest that carebot plugin pull prints", ref)
	}
	c := cached{dir: dir, digest: digest.Digest(r.version)}
	if c.good() {
		return c.module(), nil
	}
	f, err := fetch(ctx, ref)
	if err == nil {
		err = c.write(f)
	}
	if err != nil {
		return "", fmt.Errorf("fetch %s: %w", ref, err)
	}
	return c.module(), nil
}

// cached is an artifact in the cache: its manifest, from which the digest of the module follows, and the module.
type cached struct {
	dir    string
	digest digest.Digest
}

func (c cached) module() string { return filepath.Join(c.dir, c.digest.Encoded()+".wasm") }
func (c cached) root() string   { return filepath.Join(c.dir, c.digest.Encoded()+".json") }

// good tells whether all of it is there, to the last bit.
func (c cached) good() bool {
	text, err := os.ReadFile(c.root())
	if err != nil || c.digest.Algorithm().FromBytes(text) != c.digest {
		return false
	}
	parts, err := parseRoot(text)
	if err != nil {
		return false
	}
	module, err := os.ReadFile(c.module())
	want := parts.Layers[0].Digest
	return err == nil && want.Validate() == nil && want.Algorithm().FromBytes(module) == want
}

// write keeps an artifact, the module first: a manifest that is there has its module.
func (c cached) write(f fetched) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	return errors.Join(durable.WriteFile(c.module(), f.plugin.Module), durable.WriteFile(c.root(), f.root))
}
