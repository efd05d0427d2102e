// Package rust_test runs the crate's own tests, over the golden frames among others.
package rust_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestCrate(t *testing.T) {
	if _, err := exec.LookPath("cargo"); err != nil {
		if os.Getenv("CAREBOT_TOOLCHAINS") == "all" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED: %v (set CAREBOT_TOOLCHAINS=all to make this a failure)", err)
	}
	see(t, ".")
	see(t, "../sdktest/testdata/frames")
	cmd := exec.Command("cargo", "test", "--offline", "--quiet", "--target-dir", t.TempDir())
	cmd.Env = append(os.Environ(), "RUSTFLAGS=-D warnings")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, out)
	}
}

// see opens the files that only cargo reads, so that the cache of test results knows them.
func see(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		_, err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
