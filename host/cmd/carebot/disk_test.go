package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"
)

// mountFull mounts a file system of so many bytes in memory, or skips the test where that is not allowed.
func mountFull(t *testing.T, dir string, bytes int) (grow func(bytes int)) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("a full disk needs a tmpfs, which only root may mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return func(bytes int) {
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, fmt.Sprintf("size=%d", bytes)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFullDiskStopsARunThatGoesOnWithMoreRoom(t *testing.T) {
	whole, _ := undisturbed(t)
	dir := newFolder(t)
	size := 20 << 10
	grow := mountFull(t, filepath.Join(dir, "runs"), size)
	named := regexp.MustCompile(`(?m)^stage \w+: .*runs/mini/\S+: no space left on device$`)
	full := 0
	for {
		p := start(t, dir)
		code := p.end(t)
		if code == 0 {
			break
		}
		full++
		if said := p.err.String(); code != exitFailed || !named.MatchString(said) {
			t.Fatalf("with %d bytes: exit code %d, want %d and the file that has no space:\n%s", size, code, exitFailed, said)
		}
		size += size / 3
		grow(size)
	}
	if full < 5 {
		t.Errorf("the disk was full %d times only", full)
	}
	wantSame(t, whole, dir)
}
