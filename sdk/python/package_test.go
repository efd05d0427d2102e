// Package python_test runs the Python package's own tests, over the golden frames among others.
package python_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/carebot-llm/carebot/sdk/sdktest/toolchain"
)

func TestPackage(t *testing.T) {
	// The interpreter is that of plugins, which get no PATH.
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import grpc").Run(); err != nil {
		toolchain.Need(t, fmt.Errorf("%s with grpcio: %w", python, err))
	}
	toolchain.See(t, "carebot", "tests", "../sdktest/testdata/frames")
	cmd := exec.Command(python, "-W", "error", "-m", "unittest", "discover", "-s", "tests")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=.")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", cmd, err, out)
	}
}
