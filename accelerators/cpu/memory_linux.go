package cpu

import "golang.org/x/sys/unix"

// physicalMemory is the machine's memory in bytes.
func physicalMemory() int64 {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return maxElements
	}
	return int64(uint64(info.Totalram) * uint64(info.Unit))
}
