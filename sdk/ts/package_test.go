// Package ts_test runs the npm package's own tests, over the golden frames among others.
package ts_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/carebot-llm/carebot/sdk/sdktest/toolchain"
)

// TestPackage works in a copy of the files that are in the repository: installing and compiling leave much behind.
func TestPackage(t *testing.T) {
	_, err := exec.LookPath("npm")
	toolchain.Need(t, err)
	dir := t.TempDir()
	for _, name := range []string{"ts/assembly", "ts/tests", "sdktest/testdata/frames"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join("..", name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"exports.ts", "index.ts", "package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "ts", name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"ci", "--no-audit", "--no-fund", "--prefer-offline"}, {"test"}} {
		cmd := exec.Command("npm", args...)
		cmd.Dir = filepath.Join(dir, "ts")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
}
