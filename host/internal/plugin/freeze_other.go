//go:build !linux

package plugin

import "bytes"

// freeze keeps the first size bytes as they are. Thaw makes them that again.
func (l *linear) freeze(size int) (thaw func() error, err error) {
	kept := bytes.Clone(l.mapped[:size])
	return func() error {
		copy(l.mapped[:size], kept)
		return nil
	}, nil
}
