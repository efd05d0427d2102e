package plugin

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// wardenName is what the program is called that a plugin's process is started through.
const wardenName = "carebot:contain"

// A confinement is what the warden starts a process in. It travels to it as JSON.
type confinement struct {
	containment
	Program string
	Args    []string // without argument 0
	Dir     string
	Root    string // empty folder that the private root is mounted on
	View    []place
	Hidden  []string // folders that are empty for the process
	Pinned  []pinned // files that are checked, and copied so that they stay what they are
	Memory  int64    // bytes
	Shared  bool     // descriptor 3 is the shared memory
	Net     network
}

// A containment is what the system lets the host do to contain processes.
type containment struct {
	Namespaces bool // of its own for users, mounts, processes, network, System V IPC and names
	Proc       bool // its own /proc, with the namespaces
	Landlock   int  // version of the kernel's, 0 without
	missing    error
}

// none tells whether there is nothing that the warden could do.
func (c containment) none() bool { return c.missing == errNoReexec || c.missing == errNotLinux }

// String says how processes are contained, in words for people.
func (c containment) String() string {
	if c.none() {
		return fmt.Sprintf("no (%v)", c.missing)
	}
	parts := []string{
		"no capabilities", "no new privileges", "system calls filtered", "memory, files and processes limited",
	}
	if c.Landlock > 0 {
		parts = append(parts, fmt.Sprintf("Landlock %d", c.Landlock))
	}
	if !c.Namespaces {
		return fmt.Sprintf("partly (%s; no namespaces, so that the network is open: %v)",
			strings.Join(parts, ", "), c.missing)
	}
	own := "own users, mounts, processes, network, IPC and names"
	if !c.Proc {
		own += ", no /proc"
	}
	return fmt.Sprintf("yes (%s, private file system, %s)", own, strings.Join(parts, ", "))
}

var (
	errNoReexec = errors.New("this program does not call plugin.Reexec, and so starts none of its own processes")
	errNotLinux = errors.New("it needs Linux")
)

// contains returns how processes are contained here. The system is asked once.
var contains = sync.OnceValue(askSystem)

var warnContainment sync.Once

// warnWhereOpen logs, once, what containment the system does not let the host have, and each time what the recipe
// therefore cannot hold a plugin to.
func warnWhereOpen(log *slog.Logger, p recipe.Plugin) {
	c := contains()
	if c.Namespaces {
		return
	}
	warnContainment.Do(func() { log.Warn("plugins that are processes are not fully contained here", "contained", c) })
	if len(p.Grant.Network) > 0 {
		log.Warn("the plugin is told which hosts the recipe grants; it is not kept from others",
			"granted", p.Grant.Network)
	}
}
