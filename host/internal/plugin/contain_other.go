//go:build !linux

package plugin

import (
	"os/exec"
	"syscall"
)

func askSystem() containment { return containment{missing: errNotLinux} }

func runContained([]string) error { return errNotLinux }

func confine(*exec.Cmd, confinement) error { return errNotLinux }

// groupAttributes starts a process in a group of its own.
func groupAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
