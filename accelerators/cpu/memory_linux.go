package cpu

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// physicalMemory is the machine's memory in bytes.
func physicalMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return maxElements
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit))
}

// preferHugePages asks for large pages where x fills them: the rows of a large matrix lie on more small ones than the
// processor keeps track of. The system may refuse, which costs nothing but speed.
func preferHugePages(x []float32) {
	bytes := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
	ahead := int(-uintptr(unsafe.Pointer(unsafe.SliceData(x))) % hugePage)
	if pages := (len(bytes) - ahead) / hugePage; pages > 0 {
		_ = unix.Madvise(bytes[ahead:ahead+pages*hugePage], unix.MADV_HUGEPAGE)
	}
}
