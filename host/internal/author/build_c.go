package author

import (
	"context"
	"path/filepath"
	"strings"
)

const installC = "apt-get install clang-19 lld-19 libclang-rt-19-dev-wasm32 wasi-libc"

// buildC compiles plugin.c with clang against the C library for WASI. The header is taken from the plugin's folder or
// from the kit.
func buildC(ctx context.Context, f folder) (manifest []byte, _ string, err error) {
	clang, err := tool(installC, "clang-19", "clang")
	if err != nil {
		return nil, "", err
	}
	const target = "--target=wasm32-wasi"
	start, err := f.run(ctx, nil, clang, target, "-print-file-name=crt1-reactor.o")
	if err != nil {
		return nil, "", err
	}
	if !filepath.IsAbs(strings.TrimSpace(string(start))) {
		return nil, "", &MissingTool{Tool: "the C library for wasm32-wasi", Install: installC}
	}
	args := []string{target, "-std=c11", "-Wall", "-O2", "-mbulk-memory", "-mexec-model=reactor"}
	if f.sdk != "" {
		args = append(args, "-I", filepath.Join(f.sdk, "c"))
	}
	args = append(args, "-I", ".", "-Wl,--strip-all,--stack-first,-z,stack-size=262144", "-o", f.out, "plugin.c")
	if _, err := f.run(ctx, nil, clang, args...); err != nil {
		return nil, "", err
	}
	manifest, err = f.manifest()
	return manifest, "", err
}
