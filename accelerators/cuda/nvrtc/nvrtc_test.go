//go:build cuda

package nvrtc

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenNamesTheFolder(t *testing.T) {
	folder := t.TempDir()
	if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), folder) {
		t.Error(err)
	}
	for _, name := range []string{"libnvrtc.so.12", "libnvrtc-builtins.so.12.9"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("no library"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "libnvrtc-builtins.so.12.9") {
		t.Error(err)
	}
}

// The compiler is there where make kernels has fetched it.
func TestCompile(t *testing.T) {
	const folder = "../../../.cuda/nvidia/cuda_nvrtc/lib"
	if _, err := os.Stat(folder); err != nil {
		t.Skip("SKIPPED: no NVRTC in .cuda (make kernels fetches it)")
	}
	c, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	const source = `extern "C" __global__ void twice(float *x) { x[threadIdx.x] *= 2; }`
	ptx, _, err := c.Compile("twice.cu", source, "--gpu-architecture=compute_80")
	if err != nil || !strings.Contains(string(ptx), ".entry twice") {
		t.Errorf("PTX: %v", err)
	}
	cubin, log, err := c.Compile("twice.cu", source, "--gpu-architecture=sm_80", "--ptxas-options=-v")
	if err != nil || !strings.HasPrefix(string(cubin), "\x7fELF") || !strings.Contains(log, "registers") {
		t.Errorf("cubin: %v, log %q", err, log)
	}
	_, log, err = c.Compile("wrong.cu", "int wrong(", "--gpu-architecture=sm_80")
	if err == nil || !strings.Contains(err.Error(), "wrong.cu") || !strings.Contains(log, "error") {
		t.Errorf("a wrong source: %v, log %q", err, log)
	}
}
