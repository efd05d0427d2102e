package plugin

import (
	"fmt"
	"os"
)

// helpers are the programs that the host starts from its own binary to do in a process of their own what must not be
// done in the host's. They are known by the name they are started under (argument 0).
var helpers = map[string]func(args []string) error{
	containHelper: runContained,
}

// canHelp is set when this program runs helpers: its binary can be started as one.
var canHelp bool

// RunHelper runs the helper that this process was started as and ends the process; it returns in all others. A program
// that opens plugins calls it before all else, and so does TestMain of its tests.
func RunHelper() {
	run, ok := helpers[os.Args[0]]
	if !ok {
		canHelp = true
		return
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
