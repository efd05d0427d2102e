package author

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	rustTarget  = "wasm32-unknown-unknown"
	installRust = "apt-get install cargo rustc libstd-rust-dev-wasm32 lld, or rustup target add " + rustTarget
)

// buildRust builds the crate for the target that has nothing but the host's functions.
func buildRust(ctx context.Context, f folder) (manifest []byte, _ string, err error) {
	cargo, env, err := f.cargo(ctx)
	if err != nil {
		return nil, "", err
	}
	args := []string{"build", "--release", "--target", rustTarget, "--message-format=json-render-diagnostics"}
	messages, err := f.run(ctx, env, cargo, append(args, f.crates(ctx, cargo, env)...)...)
	if err != nil {
		return nil, "", err
	}
	module, err := builtModule(messages)
	if err != nil {
		return nil, "", err
	}
	code, err := os.ReadFile(module)
	if err == nil {
		err = os.WriteFile(f.out, code, 0o644)
	}
	if err != nil {
		return nil, "", err
	}
	manifest, err = f.manifest()
	return manifest, "", err
}

// crates returns the options that take the kit's crate from its checkout, when it is to be. The registry is left alone
// when the plugin needs nothing else of it: it has not heard of a crate that is not published.
func (f folder) crates(ctx context.Context, cargo string, env []string) []string {
	if f.sdk == "" {
		return nil
	}
	options := []string{"--config", fmt.Sprintf("patch.crates-io.carebot-sdk.path=%q", filepath.Join(f.sdk, "rust"))}
	offline := append(options, "--offline")
	if _, err := f.run(ctx, env, cargo, append([]string{"metadata", "--format-version=1"}, offline...)...); err != nil {
		return options
	}
	return offline
}

// cargo returns a cargo whose compiler has the target, and the environment to run it in: the one that the author's path
// names, or else the system's.
func (f folder) cargo(ctx context.Context) (cargo string, env []string, err error) {
	for _, dir := range []string{"", "/usr/bin/"} {
		cargo, missing := tool(installRust, dir+"cargo")
		rustc, missing2 := tool(installRust, dir+"rustc")
		if missing != nil || missing2 != nil {
			continue
		}
		libraries, err := f.run(ctx, nil, rustc, "--print", "target-libdir", "--target", rustTarget)
		if err != nil {
			continue
		}
		if std, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(libraries)), "libstd-*.rlib")); len(std) > 0 {
			return cargo, []string{"RUSTC=" + rustc}, nil
		}
	}
	return "", nil, &MissingTool{Tool: "Rust for " + rustTarget, Install: installRust}
}

// builtModule finds the module in what cargo says it has built.
func builtModule(messages []byte) (string, error) {
	for in := json.NewDecoder(bytes.NewReader(messages)); ; {
		var m struct{ Filenames []string }
		if err := in.Decode(&m); errors.Is(err, io.EOF) {
			return "", errors.New(`no module was built: Cargo.toml must say crate-type = ["cdylib"] under [lib]`)
		} else if err != nil {
			return "", fmt.Errorf("read cargo's messages: %w", err)
		}
		for _, name := range m.Filenames {
			if filepath.Ext(name) == ".wasm" {
				return name, nil
			}
		}
	}
}
