//go:build !amd64 || purego

package cpu

// secondLevel is 0: the processor does not tell programs.
func secondLevel() int { return 0 }
