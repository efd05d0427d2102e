package plugin

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"unsafe"

	"github.com/tetratelabs/wazero/api"
	"golang.org/x/sys/unix"
)

// A snapshot is an instance as it was when it had been opened. After a call that was broken off the instance goes back
// to it, which costs less than a new one.
type snapshot struct {
	size    uint32 // of the memory
	globals []api.MutableGlobal
	values  []uint64
	random  rand.ChaCha8
	clock   uint64

	arena, room uint32
}

// freeze takes the snapshot. An instance without one is discarded where others go back.
func (inst *moduleInstance) freeze(globals []string) error {
	s := &snapshot{
		size: inst.memory().Size(), random: *inst.random, clock: inst.clock, arena: inst.arena, room: inst.room,
	}
	for _, name := range globals {
		g, ok := inst.module.ExportedGlobal(name).(api.MutableGlobal)
		if !ok {
			return fmt.Errorf("the module's global %s is not exported", name)
		}
		s.globals, s.values = append(s.globals, g), append(s.values, g.Get())
	}
	if err := inst.linear.freeze(int(s.size)); err != nil {
		return fmt.Errorf("freeze the module's memory: %w", err)
	}
	inst.frozen = s
	return nil
}

// reset takes the instance back to its snapshot and tells whether it could: memory that has grown does not shrink, and
// a module that has exited cannot be called.
func (inst *moduleInstance) reset() bool {
	s := inst.frozen
	if s == nil || inst.module.IsClosed() || inst.memory().Size() != s.size {
		return false
	}
	if inst.linear.thaw(int(s.size)) != nil {
		return false
	}
	for i, g := range s.globals {
		g.Set(s.values[i])
	}
	*inst.random, inst.clock, inst.arena, inst.room = s.random, s.clock, s.arena, s.room
	return true
}

var zeros [pageSize]byte

// freeze makes the first size bytes a private mapping of a file that holds what they are: the system copies pages when
// they are written to, and thaw drops the copies, so that going back costs what was written and not what there is.
func (l *linear) freeze(size int) error {
	if size == 0 {
		return nil
	}
	file, err := unix.MemfdCreate("carebot-memory", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(file)
	if err := unix.Ftruncate(file, int64(size)); err != nil {
		return err
	}
	for at := 0; at < size; at += pageSize {
		page := l.mapped[at : at+pageSize]
		if bytes.Equal(page, zeros[:]) {
			continue // as the file has it
		}
		if n, err := unix.Pwrite(file, page, int64(at)); err != nil || n < pageSize {
			return cmp.Or[error](err, unix.ENOSPC)
		}
	}
	const access, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_FIXED | unix.MAP_NORESERVE
	_, err = unix.MmapPtr(file, 0, unsafe.Pointer(&l.mapped[0]), uintptr(size), access, flags)
	return err
}

// thaw makes the first size bytes what they were when they were frozen.
func (l *linear) thaw(size int) error {
	if size == 0 {
		return nil
	}
	return unix.Madvise(l.mapped[:size], unix.MADV_DONTNEED)
}
