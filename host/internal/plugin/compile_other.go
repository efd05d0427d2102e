//go:build !linux

package plugin

import (
	"os"
	"syscall"
)

// compilerAttributes starts the compiler in a group of its own.
func compilerAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// thisProgram is the file of this program.
func thisProgram() (string, error) { return os.Executable() }
