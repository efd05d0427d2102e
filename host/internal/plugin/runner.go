package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-plugin/runner"
)

// A groupRunner runs a plugin's process for go-plugin, in a process group of its own, so that what the process starts
// ends with it. Standard input is empty.
type groupRunner struct {
	cmd            *exec.Cmd
	stdout, stderr io.ReadCloser
	behind         bool          // the process runs behind the warden, which ends as it does
	ended          chan struct{} // closed when the process has been waited for

	mu     sync.Mutex
	pid    int // 0 before the start
	killed bool
}

// newGroupRunner makes a runner of a command. What the process says on standard output after the first line goes to
// babble.
func newGroupRunner(cmd *exec.Cmd, babble io.Writer) (*groupRunner, error) {
	r := &groupRunner{cmd: cmd, ended: make(chan struct{})}
	cmd.Stdin = nil
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = groupAttributes()
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.stdout = &greeting{ReadCloser: stdout, babble: babble}
	r.stderr, err = cmd.StderrPipe()
	return r, err
}

// Start starts the process from a thread of its own that lasts as long as the process: Pdeathsig is sent when the
// thread that started the process ends, not when the host does.
func (r *groupRunner) Start(context.Context) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := r.begin()
		started <- err
		if err == nil {
			<-r.ended
		}
	}()
	return <-started
}

// begin starts the process unless it has been killed already.
func (r *groupRunner) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed {
		return errors.New("killed before the start")
	}
	if err := r.cmd.Start(); err != nil {
		return err
	}
	r.pid = r.cmd.Process.Pid
	return nil
}

// Wait waits for the process. go-plugin calls it once.
func (r *groupRunner) Wait(context.Context) error {
	defer close(r.ended)
	return r.cmd.Wait()
}

// signalBase is added to the number of the signal that ended a process to make the warden's exit status.
const signalBase = 128

// fate says how the process ended. It must have been waited for.
func (r *groupRunner) fate() string {
	state := r.cmd.ProcessState
	if code := state.ExitCode(); r.behind && code > signalBase {
		return "signal: " + syscall.Signal(code-signalBase).String()
	}
	return state.String()
}

// pipeGrace is how long the output of a killed process is still read. A process that has left the group may hold the
// pipes open for ever.
const pipeGrace = 500 * time.Millisecond

// Kill ends the process group, once.
func (r *groupRunner) Kill(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.killed || r.pid == 0 {
		r.killed = true
		return nil
	}
	r.killed = true
	time.AfterFunc(pipeGrace, func() {
		_ = r.stdout.Close()
		_ = r.stderr.Close()
	})
	if err := syscall.Kill(-r.pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// Diagnose adds to the error of a start whose handshake fails.
func (r *groupRunner) Diagnose(context.Context) string {
	return "(a plugin prints nothing to standard output before its handshake line)"
}

func (r *groupRunner) Stdout() io.ReadCloser { return r.stdout }
func (r *groupRunner) Stderr() io.ReadCloser { return r.stderr }
func (r *groupRunner) Name() string          { return r.cmd.Path }

func (r *groupRunner) ID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pid == 0 {
		return ""
	}
	return strconv.Itoa(r.pid)
}

// PluginToHost admits Unix sockets only: a plugin does not listen on the network.
func (r *groupRunner) PluginToHost(network, address string) (string, string, error) {
	if network != "unix" {
		return "", "", fmt.Errorf("the plugin listens on %s %s, not on a Unix socket", network, address)
	}
	return network, address, nil
}

// HostToPlugin is of runner.AddrTranslator.
func (r *groupRunner) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

var _ runner.Runner = (*groupRunner)(nil)
