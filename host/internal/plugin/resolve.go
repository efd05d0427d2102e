package plugin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/durable"
	"github.com/carebot-llm/carebot/host/internal/oci"
	"github.com/carebot-llm/carebot/sdk"
)

// wasmMagic starts every WebAssembly file.
var wasmMagic = []byte("\x00asm")

// local returns the file of a plugin that is named by an OCI reference, which is fetched unless it has been before.
// Other names are returned as they are.
func local(ctx context.Context, use string) (string, error) {
	if !oci.IsReference(use) {
		return use, nil
	}
	return oci.Fetch(ctx, use, filepath.Join(durable.CacheDir(), "oci"))
}

// ResolveUse tells what a recipe's `use` names: a built-in plugin, or a file, which is a module or an executable by its
// content and mode. Path is absolute and empty for a built-in plugin. The error lists the built-in plugins.
func ResolveUse(use, dir string) (transport, path string, err error) {
	if _, ok := embedded[use]; ok {
		return TransportWasm, "", nil
	}
	if _, ok := sdk.Registered(use); ok {
		return TransportBuiltin, "", nil
	}
	path = use
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, use)
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", "", err
	}
	stat, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", fmt.Errorf("%q is no built-in plugin (built in: %s), and there is no file %s", use, builtins(), path)
	case err != nil:
		return "", "", err
	case !stat.Mode().IsRegular():
		return "", "", fmt.Errorf("%s is not a file (built-in plugins: %s)", path, builtins())
	}
	transport, err = transportOf(path, stat.Mode())
	return transport, path, err
}

func builtins() string {
	if names := Builtins(); len(names) > 0 {
		return strings.Join(names, ", ")
	}
	return "none"
}

// transportOf tells modules and executables apart.
func transportOf(path string, mode fs.FileMode) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	start := make([]byte, len(wasmMagic))
	if _, err := io.ReadFull(f, start); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	switch {
	case bytes.Equal(start, wasmMagic):
		return TransportWasm, nil
	case filepath.Ext(path) == ".wasm":
		return "", fmt.Errorf("%s is not a WebAssembly module", path)
	case mode&0o111 == 0:
		return "", fmt.Errorf("%s is neither a WebAssembly module nor executable", path)
	}
	return TransportProcess, nil
}
