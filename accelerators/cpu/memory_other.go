//go:build !linux

package cpu

// physicalMemory is the most that a device may allocate; where the machine's memory is not known, more than any has.
func physicalMemory() int64 { return maxElements }

func preferHugePages([]float32) {}
