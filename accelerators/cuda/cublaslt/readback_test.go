//go:build cuda

package cublaslt

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// held is what the vendor's library holds of the product in testdata/readback.c: sums and factors in f32, which are in
// the host's memory, A transposed; a matrix of bf16 by columns, 24 by 40 at a stride of 56; C of f32; and what is
// preferred.
const held = `desc 0: 68
desc 1: 0
desc 2: 0
desc 3: 1
desc 4: 0
a 0: 14
a 1: 0
a 2: 24
a 3: 40
a 4: 56
a 5: 1
c 0: 0
c 4: 44
preference 1: 33554432
preference 3: 2
preference 5: 16
preference 6: 8
preference 7: 4
preference 8: 4
`

// TestTheVendorsLibraryHoldsWhatIsDescribed needs no GPU, but the vendor's library where Places finds it.
func TestTheVendorsLibraryHoldsWhatIsDescribed(t *testing.T) {
	program := filepath.Join(t.TempDir(), "readback")
	build := exec.Command("gcc", "-w", "testdata/readback.c", "-ldl", "-o", program)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const absent, emulated = 2, 3
	opened := 0
	for _, file := range Places() {
		out, err := exec.Command(program, file).CombinedOutput()
		var exit *exec.ExitError
		if errors.As(err, &exit) && (exit.ExitCode() == absent || exit.ExitCode() == emulated) {
			continue
		}
		opened++
		version, rest, _ := strings.Cut(string(out), "\n")
		t.Logf("%s: %s", file, version)
		if err != nil || rest != held {
			t.Errorf("%s: %v, it holds\n%s", file, err, rest)
		}
	}
	if opened == 0 {
		t.Skip("SKIPPED: no cublasLt of the vendor's was found: CAREBOT_CUBLASLT may name one")
	}
}
