//go:build unix

package checkpoint

import (
	"os"
	"syscall"
)

// mapFile maps a file for reading, or returns nil: then it is read, which costs nothing but a copy. A file that another
// program shortens meanwhile ends this one; directories of models are not written to once they have their name.
func mapFile(f *os.File, size int64) []byte {
	if size <= 0 || int64(int(size)) != size {
		return nil
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil
	}
	return data
}

func unmapFile(data []byte) error {
	if data == nil {
		return nil
	}
	return syscall.Munmap(data)
}
