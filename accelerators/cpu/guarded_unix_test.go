//go:build unix

package cpu

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// guarded is n zeros that end at a page which cannot be touched.
func guarded(t testing.TB, n int) []float32 {
	page := unix.Getpagesize()
	size := (4*n + page - 1) / page * page
	memory, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(memory) })
	if err := unix.Mprotect(memory[size:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&memory[size-4*n])), n)
}
