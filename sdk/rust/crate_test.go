// Package rust_test runs the crate's own tests, over the golden frames among others.
package rust_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/carebot-llm/carebot/sdk/sdktest/toolchain"
)

func TestCrate(t *testing.T) {
	_, err := exec.LookPath("cargo")
	toolchain.Need(t, err)
	toolchain.See(t, ".", "../sdktest/testdata/frames")
	cmd := exec.Command("cargo", "test", "--offline", "--quiet", "--target-dir", t.TempDir())
	cmd.Env = append(os.Environ(), "RUSTFLAGS=-D warnings")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, out)
	}
}
