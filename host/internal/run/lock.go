package run

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// ErrLocked says that another process works in the run directory.
var ErrLocked = errors.New("another run works in this directory")

// lock takes the run directory for this process until unlock is called, or the process ends however it ends.
func lock(dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock run directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 20)
		n, _ := f.Read(holder)
		f.Close()
		return nil, fmt.Errorf("%w: %s is held by process %s; wait for it, or give another output", ErrLocked, dir, holder[:n])
	}
	if err := errors.Join(f.Truncate(0), writeAtStart(f, strconv.Itoa(os.Getpid()))); err != nil {
		return nil, errors.Join(fmt.Errorf("lock run directory: %w", err), f.Close())
	}
	return f.Close, nil
}

func writeAtStart(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}
