package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/plugin"
	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// Bounds of what is packed, in bytes.
const (
	maxModule   = 256 << 20
	maxManifest = 1 << 20
)

func newPack(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "pack MODULE MANIFEST",
		Short: "Put a manifest into a WebAssembly module",
		Args:  cobra.ExactArgs(2),
		RunE:  func(_ *cobra.Command, args []string) error { return a.pack(args[0], args[1], out) },
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write")
	return cmd
}

func (a *app) pack(module, manifest, out string) error {
	if out == "" {
		return usageError{errors.New("--output is missing: the file to write")}
	}
	code, err := readBounded(module, maxModule)
	if err != nil {
		return err
	}
	text, err := readBounded(manifest, maxManifest)
	if err != nil {
		return err
	}
	packed, err := plugin.Pack(code, text)
	if err != nil {
		return fmt.Errorf("%s and %s: %w", module, manifest, err)
	}
	return durable.WriteFile(out, packed)
}

func readBounded(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", file, err)
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("%s is larger than %s", file, recipe.Bytes(limit))
	}
	return data, nil
}
