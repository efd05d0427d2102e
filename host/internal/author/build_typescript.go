package author

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// buildTypeScript compiles assembly/index.ts with AssemblyScript, after installing what package.json names.
func buildTypeScript(ctx context.Context, f folder) (manifest []byte, _ string, err error) {
	npm, err := tool("apt-get install npm", "npm")
	if err != nil {
		return nil, "", err
	}
	if err := f.install(ctx, npm); err != nil {
		return nil, "", err
	}
	packages := filepath.Join(f.dir, "node_modules")
	_, err = f.run(ctx, nil, filepath.Join(packages, ".bin", "asc"), "assembly/index.ts",
		"--config", filepath.Join(packages, "@carebot", "sdk", "asconfig.json"), "--outFile", f.out)
	if err != nil {
		return nil, "", err
	}
	manifest, err = f.manifest()
	return manifest, "", err
}

// install fetches the packages when they are not there.
func (f folder) install(ctx context.Context, npm string) error {
	if _, err := os.Stat(filepath.Join(f.dir, "node_modules")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	args := []string{"install", "--no-audit", "--no-fund"}
	if f.sdk != "" {
		args = append(args, "--no-save", "--prefer-offline", "--install-links", filepath.Join(f.sdk, "ts"))
	}
	_, err := f.run(ctx, nil, npm, args...)
	return err
}
