//go:build !unix

package cpu

import "testing"

// guarded is n zeros; without memory protection nothing guards them.
func guarded(_ testing.TB, n int) []float32 { return make([]float32, n) }
