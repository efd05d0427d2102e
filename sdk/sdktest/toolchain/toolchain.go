// Package toolchain is for tests that need the tools of another language.
package toolchain

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// variable turns the absence of a tool from a skip into a failure when it is "all", as where every tool must be there.
const variable = "CAREBOT_TOOLCHAINS"

// Need skips the test, loudly, when missing says that a tool is not there.
func Need(t testing.TB, missing error) {
	t.Helper()
	switch {
	case missing == nil:
	case os.Getenv(variable) == "all":
		t.Fatal(missing)
	default:
		t.Skipf("SKIPPED: %v (set %s=all to make this a failure)", missing, variable)
	}
}

// See opens the files below folders that only other programs read, so that the cache of test results knows them.
func See(t testing.TB, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
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
}
