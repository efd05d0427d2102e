package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/recipe"
	"github.com/carebot-llm/carebot/host/internal/wasm"
	"github.com/carebot-llm/carebot/sdk"
)

// The transports of Info.
const (
	TransportBuiltin = "builtin"
	TransportWasm    = "wasm"
	TransportProcess = "process"
)

// Info is what can be known of a plugin before it is opened.
type Info struct {
	Manifest  sdk.Manifest
	Digest    string // sha256 of the code, in hex
	Transport string
	Path      string   // file, empty for a built-in plugin
	Contained string   // of a process: how, in words
	Imports   []string // of a module, each as MODULE.NAME
}

// Inspect finds the plugin of a recipe's entry (dir is what relative paths start from), checks its digest when the
// entry pins one, and reads its manifest. No code of a module runs; an executable is started to describe itself.
func Inspect(ctx context.Context, p recipe.Plugin, dir string) (Info, error) {
	info, _, err := inspect(ctx, p, dir)
	return info, err
}

// Check inspects the plugin and tells whether the entry fits it: the grants that the manifest requests, and the
// configuration. It reports every problem.
func Check(ctx context.Context, p recipe.Plugin, dir string) error {
	info, err := Inspect(ctx, p, dir)
	if err != nil {
		return err
	}
	return info.check(p)
}

func (i Info) check(p recipe.Plugin) error {
	_, err := configure(i.Manifest.Config, p.With)
	return errors.Join(checkGrants(i, p), err)
}

// inspect returns the code as well when it is a module's.
func inspect(ctx context.Context, p recipe.Plugin, dir string) (info Info, code []byte, err error) {
	use, err := local(ctx, p.Use)
	if err != nil {
		return Info{}, nil, err
	}
	if info.Transport, info.Path, err = ResolveUse(use, dir); err != nil {
		return Info{}, nil, err
	}
	if info.Digest, code, err = readCode(info, p, dir); err != nil {
		return Info{}, nil, err
	}
	if pin := strings.ToLower(p.SHA256); pin != "" && pin != info.Digest {
		return Info{}, nil, fmt.Errorf("sha256: the recipe pins %s, %s has %s", pin, p.Use, info.Digest)
	}
	switch info.Transport {
	case TransportBuiltin:
		registered, _ := sdk.Registered(p.Use)
		info.Manifest = registered.Manifest
	case TransportWasm:
		info.Imports, err = wasm.Imports(code)
		if err == nil {
			info.Manifest, err = moduleManifest(code)
		}
	case TransportProcess:
		info.Contained = contains().String()
		info.Manifest, err = describe(ctx, info, dir, p)
	}
	if err == nil {
		err = checkManifest(&info.Manifest)
	}
	if err != nil {
		return Info{}, nil, fmt.Errorf("%s: %w", p.Use, err)
	}
	return info, code, nil
}

// readCode returns the digest of a plugin, and a module's code.
func readCode(info Info, p recipe.Plugin, dir string) (digest string, code []byte, err error) {
	switch info.Transport {
	case TransportWasm:
		if info.Path == "" {
			code = embedded[p.Use]
		} else if code, err = readModule(info.Path); err != nil {
			return "", nil, err
		}
		return digestBytes(code), code, nil
	case TransportProcess:
		digest, err = executableDigest(newCommand(info.Path, dir, p))
		return digest, nil, err
	}
	registered, _ := sdk.Registered(p.Use)
	return builtinDigest(&registered.Manifest), nil, nil
}

// maxModule bounds the file of a module, in bytes.
const maxModule = 64 << 20

// readModule reads a module's file.
func readModule(path string) ([]byte, error) {
	stat, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if stat.Size() > maxModule {
		return nil, fmt.Errorf("%s has %d MiB, more than %d", path, stat.Size()>>20, maxModule>>20)
	}
	return os.ReadFile(path)
}
