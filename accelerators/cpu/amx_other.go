//go:build amd64 && !linux && !purego

package cpu

// hasAMX: only Linux is asked.
func hasAMX() bool { return false }
