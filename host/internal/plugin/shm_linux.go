package plugin

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// newShared makes the memory for one process.
func newShared() (*shared, error) {
	fd, err := unix.MemfdCreate("carebot-frames", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("make shared memory: %w", err)
	}
	s := &shared{file: os.NewFile(uintptr(fd), "carebot-frames")}
	if err = unix.Ftruncate(fd, sharedSize); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err == nil {
		s.memory, err = unix.Mmap(fd, 0, sharedSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	}
	if err != nil {
		s.close()
		return nil, fmt.Errorf("make shared memory: %w", err)
	}
	return s, nil
}
