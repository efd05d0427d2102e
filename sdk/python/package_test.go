// Package python_test runs the Python package's own tests, over the golden frames among others.
package python_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestPackage(t *testing.T) {
	// The interpreter is that of plugins, which get no PATH.
	const python = "/usr/bin/python3"
	if out, err := exec.Command(python, "-c", "import grpc").CombinedOutput(); err != nil {
		if os.Getenv("CAREBOT_TOOLCHAINS") == "all" {
			t.Fatalf("%v\n%s", err, out)
		}
		t.Skipf("SKIPPED: %s with grpcio: %v (set CAREBOT_TOOLCHAINS=all to make this a failure)", python, err)
	}
	see(t, "carebot")
	see(t, "tests")
	see(t, "../sdktest/testdata/frames")
	cmd := exec.Command(python, "-W", "error", "-m", "unittest", "discover", "-s", "tests")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=.")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, out)
	}
}

// see opens the files that only Python reads, so that the cache of test results knows them.
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
