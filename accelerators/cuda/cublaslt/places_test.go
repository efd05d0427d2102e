//go:build cuda

package cublaslt

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPlaces(t *testing.T) {
	folder := t.TempDir()
	older := filepath.Join(folder, "lib", "python3.12", "site-packages", "nvidia", "cublas", "lib", "libcublasLt.so.12")
	newer := filepath.Join(folder, "lib", "python3.12", "site-packages", "nvidia", "cu13", "lib", "libcublasLt.so.13")
	for _, file := range []string{older, newer} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("VIRTUAL_ENV", folder)
	t.Setenv("CONDA_PREFIX", "")
	t.Setenv("CUDA_HOME", filepath.Dir(filepath.Dir(newer)))
	t.Setenv("CAREBOT_CUBLASLT", "/x.so")
	if got := Places(); !slices.Equal(got, []string{"/x.so"}) {
		t.Errorf("named, the library is sought in %v", got)
	}
	t.Setenv("CAREBOT_CUBLASLT", "")
	if got := Places(); len(got) != 0 {
		t.Errorf("not wanted, the library is sought in %v", got)
	}
	if err := os.Unsetenv("CAREBOT_CUBLASLT"); err != nil {
		t.Fatal(err)
	}
	got := Places()
	first := slices.Index(got, newer)
	if !slices.Equal(got[:3], names) || first < 0 || first > slices.Index(got, older) {
		t.Errorf("the library is sought in %v", got)
	}
}

// TestOpenSaysWhatIsWrongWithEach: a file that is no library, one that is another library, one that is not there.
func TestOpenSaysWhatIsWrongWithEach(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text.so")
	if err := os.WriteFile(text, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open([]string{"/absent.so", text, "libc.so.6"})
	if err == nil {
		t.Fatal("opened")
	}
	for _, want := range []string{"/absent.so: cannot open", text + ": file too short",
		"libc.so.6: it lacks cublasLtCreate"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestAlignment(t *testing.T) {
	for want, m := range map[int]Matrix{
		16: {At: 4096, Stride: 4}, 8: {At: 4096, BF16: true, Stride: 12}, 4: {At: 20, Stride: 8},
		2: {At: 4096, BF16: true, Stride: 7},
	} {
		if got := m.Alignment(); got != want {
			t.Errorf("%+v is on a boundary of %d, want %d", m, got, want)
		}
	}
}
