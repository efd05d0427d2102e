//go:build amd64 && !purego

package cpu

import (
	"sync"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

// hasAMX asks the system for the registers of tiles, once in a process: it makes room for them where threads are
// saved. It says no where it does not know them, or the machine below it does not.
var hasAMX = sync.OnceValue(func() bool {
	const requestState, tileData = 0x1023, 18
	if x := &cpu.X86; !x.HasAMXTile || !x.HasAMXBF16 {
		return false
	}
	_, _, failed := unix.RawSyscall(unix.SYS_ARCH_PRCTL, requestState, tileData, 0)
	return failed == 0
})
