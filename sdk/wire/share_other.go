//go:build !wasip1 && !linux

package wire

// mapped maps nothing: only Linux has such memory.
func mapped(_, _ int) []byte { return nil }
