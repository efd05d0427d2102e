package plugin

import "syscall"

// compilerAttributes starts the compiler in a group of its own, which ends with the host.
func compilerAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// thisProgram is the file of this program, even when its name is another's by now.
func thisProgram() (string, error) { return "/proc/self/exe", nil }
