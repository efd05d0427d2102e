package author

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// buildGo builds the module and has the same source, built for this machine, print its manifest.
func buildGo(ctx context.Context, f folder) (manifest []byte, _ string, err error) {
	goTool, err := tool("apt-get install golang", "go")
	if err != nil {
		return nil, "", err
	}
	flags, done, err := f.goFlags(ctx, goTool)
	if err != nil {
		return nil, "", err
	}
	defer done()
	build := append([]string{"build"}, flags...)
	build = append(build, "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", f.out, ".")
	if _, err := f.run(ctx, []string{"GOOS=wasip1", "GOARCH=wasm"}, goTool, build...); err != nil {
		return nil, "", err
	}
	manifest, err = f.run(ctx, nil, goTool, append(append([]string{"run"}, flags...), ".", "-manifest")...)
	return manifest, "", err
}

// sdkModule is the Go module that the kit is part of.
const sdkModule = "github.com/carebot-llm/carebot"

// goFlags returns flags that take the kit from its checkout, when it is to be: those of a go.mod of its own, which done
// takes away, so that the author's stays as it is. A plugin without a go.mod is part of the module around it.
func (f folder) goFlags(ctx context.Context, goTool string) (flags []string, done func(), err error) {
	own, err := os.ReadFile(filepath.Join(f.dir, "go.mod"))
	if f.sdk == "" || errors.Is(err, fs.ErrNotExist) {
		return nil, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	temp, err := os.MkdirTemp("", "carebot-build-")
	if err != nil {
		return nil, nil, err
	}
	done = func() { _ = os.RemoveAll(temp) }
	mod, kit := filepath.Join(temp, "go.mod"), filepath.Dir(f.sdk)
	sums, err := os.ReadFile(filepath.Join(kit, "go.sum"))
	if err == nil {
		err = errors.Join(os.WriteFile(mod, own, 0o644), os.WriteFile(filepath.Join(temp, "go.sum"), sums, 0o644))
	}
	if err == nil {
		_, err = f.run(ctx, nil, goTool, "mod", "edit", "-require="+sdkModule+"@v0.0.0",
			"-replace="+sdkModule+"="+kit, mod)
	}
	if err != nil {
		done()
		return nil, nil, err
	}
	return []string{"-modfile=" + mod, "-mod=mod"}, done, nil
}
