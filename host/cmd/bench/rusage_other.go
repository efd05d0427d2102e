//go:build !unix

package main

// cpuSeconds is not known here; one-thread figures and the share of others are then missing.
func cpuSeconds() float64 { return 0 }
