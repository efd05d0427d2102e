package main

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// tick is the unit of /proc/stat in seconds.
const tick = 0.01

// busySeconds is the time that all processors together have worked since the machine started, time stolen by the
// hypervisor included; 0 where the system does not say.
func busySeconds() float64 {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	lines := bufio.NewScanner(bytes.NewReader(stat))
	lines.Scan()
	ticks := 0
	for i, field := range strings.Fields(lines.Text())[1:] {
		const idle, wait, guest = 3, 4, 8 // guest time is counted as user time already
		if n, err := strconv.Atoi(field); err == nil && i != idle && i != wait && i < guest {
			ticks += n
		}
	}
	return float64(ticks) * tick
}

// others is the share of the machine behind so many busy seconds of it; a tick for each processor is the clock's error.
func others(busy, wall float64) float64 {
	processors := float64(runtime.NumCPU())
	return max(0, busy-tick*processors) / (wall * processors)
}
