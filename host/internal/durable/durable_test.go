package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWriteFailureLeavesTheOldFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := WriteFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	err := Write(path, func(w io.Writer) error {
		io.WriteString(w, "half")
		return full
	})
	if !errors.Is(err, full) {
		t.Fatalf("error %v, want %v", err, full)
	}
	assertOnly(t, path, "old")
}

func TestDirIsReplacedWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	for _, name := range []string{"a", "b"} {
		err := Dir(dir, func(beside string) error { return WriteFile(filepath.Join(beside, name), []byte(name)) })
		if err != nil {
			t.Fatal(err)
		}
	}
	assertOnly(t, filepath.Join(dir, "b"), "b")
	broken := errors.New("broken")
	if err := Dir(dir, func(string) error { return broken }); !errors.Is(err, broken) {
		t.Fatalf("error %v, want %v", err, broken)
	}
	assertOnly(t, filepath.Join(dir, "b"), "b")
}

// assertOnly checks the file's content and that nothing else lies beside it.
func assertOnly(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Fatalf("%s holds %q, %v; want %q", path, got, err, want)
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if len(entries) != 1 {
		t.Fatalf("%d entries beside %s", len(entries)-1, path)
	}
}
