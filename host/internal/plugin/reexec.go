package plugin

import (
	"fmt"
	"os"
)

// reexecs are what the host starts its own binary for, to do in a process of its own what must not be done in the
// host's: the warden, which contains a plugin's process, and the compiler of modules. Each is known by the name it is
// started under (argument 0).
var reexecs = map[string]func(args []string) error{
	wardenName:   runContained,
	compilerName: compileHere,
}

// canReexec is set when this program calls Reexec: its binary can be started as any of them.
var canReexec bool

// Reexec does what this process was started for, when it is one of those that the host starts of its own binary, and
// ends it; it returns in all others. A program that opens plugins calls it before all else, and so does TestMain of its
// tests.
func Reexec() {
	run, ok := reexecs[os.Args[0]]
	if !ok {
		canReexec = true
		return
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
