package plugin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// namespaces are those that a contained process gets of its own.
const namespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWNET |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS

// nobody is the user that root is within the namespace.
const nobody = 65534

// groupAttributes starts a process in a group of its own, which ends with the thread that starts it.
func groupAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// confine makes a command that starts a process in its confinement, of one with that process's environment and pipes.
// With namespaces the process has the warden as its parent and the init of its process namespace; when the warden ends,
// the kernel ends all processes in it. Without, the warden becomes the process.
func confine(cmd *exec.Cmd, c confinement) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode the confinement: %w", err)
	}
	cmd.Path, cmd.Args, cmd.Dir = "/proc/self/exe", []string{wardenName, string(text)}, "/"
	cmd.SysProcAttr = groupAttributes()
	if c.Namespaces {
		attr := cmd.SysProcAttr
		attr.Cloneflags = namespaces
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: inner(os.Geteuid()), HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: inner(os.Getegid()), HostID: os.Getegid(), Size: 1}}
		attr.AmbientCaps = []uintptr{
			unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE, unix.CAP_SYS_RESOURCE, unix.CAP_SETPCAP,
		}
	}
	return nil
}

// inner returns what a user or group is called in the namespace. Nobody is root there, for programs that ask.
func inner(id int) int {
	if id == 0 {
		return nobody
	}
	return id
}

// askSystem finds out what containment there is, by confining a warden that does nothing.
func askSystem() containment {
	c := containment{Landlock: landlockVersion()}
	if !canReexec {
		c.missing = errNoReexec
		return c
	}
	root, err := os.MkdirTemp("", "carebot-contain-")
	if err != nil {
		c.missing = err
		return c
	}
	defer os.Remove(root)
	for _, proc := range []bool{true, false} {
		with := containment{Namespaces: true, Proc: proc, Landlock: c.Landlock}
		if err = try(confinement{containment: with, Root: root, Memory: 1 << 20}); err == nil {
			return with
		}
	}
	c.missing = err
	return c
}

// try starts a confinement of no program.
func try(c confinement) error {
	var said bytes.Buffer
	cmd := exec.Command("")
	cmd.Err, cmd.Stderr = nil, &said
	if err := confine(cmd, c); err != nil {
		return err
	}
	cmd.Env = []string{}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("start in namespaces: %w %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return nil
}

// runContained is the warden. Its argument is the confinement; its environment is the process's.
func runContained(args []string) error {
	var c confinement
	if len(args) != 1 {
		return errors.New("the warden is started by the host only")
	}
	if err := json.Unmarshal([]byte(args[0]), &c); err != nil {
		return fmt.Errorf("decode the confinement: %w", err)
	}
	runtime.LockOSThread() // what is given up below is given up by this thread, and by what it starts
	if c.Namespaces {
		return c.runInside()
	}
	if err := errors.Join(c.limit(), c.giveUp()); err != nil {
		return err
	}
	if err := os.Chdir(c.Dir); err != nil {
		return err
	}
	return c.explain(syscall.Exec(c.Program, c.arguments(), os.Environ()))
}

// runInside builds the world of the process, starts it and is its init.
func (c *confinement) runInside() error {
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"forbid further user namespaces", forbidNamespaces},
		{"limit the processes", limitProcesses},
		{"set the host name", func() error { return unix.Sethostname([]byte("plugin")) }},
		{"build the private file system", c.buildRoot},
		{"lay out the network", c.Net.open},
		{"limit the process", c.limit},
		{"hide the warden", func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }},
		{"give up privileges", c.giveUp},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	if c.Program == "" {
		return nil
	}
	files := []uintptr{0, 1, 2}
	if c.Shared {
		files = append(files, sharedDescriptor)
	}
	with := syscall.ProcAttr{Dir: c.Dir, Env: os.Environ(), Files: files}
	pid, err := syscall.ForkExec(c.Program, c.arguments(), &with)
	if err != nil {
		return c.explain(err)
	}
	c.closeInherited()
	return awaitAll(pid)
}

func (c *confinement) arguments() []string { return append([]string{c.Program}, c.Args...) }

// closeInherited closes what only the process is to hold, so that the other ends learn when it lets go.
func (c *confinement) closeInherited() {
	for _, fd := range []int{0, 1} {
		_ = unix.Close(fd)
	}
	if c.Shared {
		_ = unix.Close(sharedDescriptor)
	}
}

// explain adds to the error of a start what may be the reason.
func (c *confinement) explain(err error) error {
	return fmt.Errorf("start %s: %w (it sees its own folder, the working directory, the system's programs, and what "+
		"grant.read and grant.write name)", c.Program, err)
}

// awaitAll buries all processes until the first has ended, and then ends as it did: with its status, or with 128 and
// the number of its signal, as shells do.
func awaitAll(first int) error {
	for {
		var status unix.WaitStatus
		switch pid, err := unix.Wait4(-1, &status, 0, nil); {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for the process: %w", err)
		case pid == first && status.Signaled():
			os.Exit(signalBase + int(status.Signal()))
		case pid == first && status.Exited():
			os.Exit(status.ExitStatus())
		}
	}
}

// forbidNamespaces keeps the process from being root in a namespace of its own making.
func forbidNamespaces() error {
	return os.WriteFile("/proc/sys/user/max_user_namespaces", []byte("0"), 0)
}

// limitProcesses bounds the threads in the process namespace, root's too, which RLIMIT_NPROC lets pass. The number is
// the namespace's since Linux 6.14, the machine's before.
func limitProcesses() error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil {
		return fmt.Errorf("read the kernel's version: %w", err)
	}
	if major < 6 || major == 6 && minor < 14 {
		return nil
	}
	return os.WriteFile("/proc/sys/kernel/pid_max", []byte(strconv.Itoa(maxThreads)), 0)
}

// Limits of a process besides its memory.
const (
	// runtimeRoom is for what a runtime reserves before it computes anything: heap arenas, stacks of threads.
	runtimeRoom = 256 << 20
	maxFile     = 1 << 30 // bytes
	maxOpen     = 1024    // descriptors
	maxThreads  = 1024    // of all its processes
)

// limit bounds what the process may use. Threads are bounded in a user namespace only: outside, the kernel counts all
// of the user's.
func (c *confinement) limit() error {
	limits := map[int]uint64{
		unix.RLIMIT_DATA: uint64(c.Memory) + runtimeRoom, unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: maxFile,
		unix.RLIMIT_NOFILE: maxOpen,
	}
	if c.Namespaces {
		limits[unix.RLIMIT_NPROC] = maxThreads
	}
	for resource, most := range limits {
		var now unix.Rlimit
		if err := unix.Getrlimit(resource, &now); err != nil {
			return err
		}
		most = min(most, now.Max)
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("limit %d to %d: %w", resource, most, err)
		}
	}
	return nil
}

// giveUp takes from this thread, for good, what the process must not have.
func (c *confinement) giveUp() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	if err := dropCapabilities(); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	if err := c.lock(); err != nil {
		return fmt.Errorf("restrict by Landlock: %w", err)
	}
	if err := filterCalls(); err != nil {
		return fmt.Errorf("filter system calls: %w", err)
	}
	return nil
}

// dropCapabilities drops all capabilities of this thread, and the right of programs that it executes to have any.
func dropCapabilities() error {
	for capability := range uintptr(unix.CAP_LAST_CAP + 1) {
		err := unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
		if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
			return err
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return unix.Capset(&header, &none[0])
}
