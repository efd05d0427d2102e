//go:build !unix

package cpu

import "time"

var processorStart = time.Now()

// processorSeconds is the wall time since the start: elsewhere nothing better is at hand.
func processorSeconds() float64 { return time.Since(processorStart).Seconds() }
