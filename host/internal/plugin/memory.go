package plugin

import (
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// A linear is the memory of one instance. It is mapped, not allocated: the whole of what the limit allows is reserved
// once and pages are taken when they are touched, so that growing copies nothing and the collector does not count it as
// heap.
type linear struct {
	mapped []byte
}

// Allocate is of experimental.MemoryAllocator.
func (l *linear) Allocate(_, most uint64) experimental.LinearMemory {
	const flags = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_NORESERVE
	l.mapped, _ = unix.Mmap(-1, 0, int(most), unix.PROT_READ|unix.PROT_WRITE, flags)
	return l
}

// Reallocate is of experimental.LinearMemory. It returns nil when there is no memory.
func (l *linear) Reallocate(size uint64) []byte {
	if size > uint64(len(l.mapped)) {
		return nil
	}
	return l.mapped[:size:size]
}

// Free is of experimental.LinearMemory. It may be called again.
func (l *linear) Free() {
	if l.mapped != nil {
		_ = unix.Munmap(l.mapped)
		l.mapped = nil
	}
}
