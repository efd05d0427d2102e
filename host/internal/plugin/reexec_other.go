//go:build !linux

package plugin

import "os"

// thisProgram is the file of this program.
func thisProgram() (string, error) { return os.Executable() }
