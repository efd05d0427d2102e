package plugin

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// A command is what a process is started with, and what the recipe lets it have.
type command struct {
	path, dir   string
	args, env   []string
	memory      int64    // bytes
	read, write []string // further files and folders
	hidden      []string // folders
	pinned      []pinned
	sockets     string // directory for its socket, 0700
	host        string // socket of the model service; empty without
	net         network
	shares      bool // it is offered shared memory
	timeout     time.Duration
	log         *guestLog
}

// networkVariable tells a process which host:port names the recipe grants.
const networkVariable = "CAREBOT_NETWORK"

// newCommand is what the recipe lets an executable start with.
func newCommand(path, dir string, p recipe.Plugin) command {
	c := command{
		path: path, dir: dir, args: p.Args, read: p.Grant.Read, write: p.Grant.Write,
		memory: cmp.Or(int64(p.Limits.Memory), defaultMemory), timeout: startTimeout,
		env: []string{networkVariable + "=" + strings.Join(p.Grant.Network, ",")},
	}
	for _, name := range p.Grant.Env {
		if value, ok := os.LookupEnv(name); ok {
			c.env = append(c.env, name+"="+value)
		}
	}
	return c
}

// searchPath is where the process's commands are looked for.
func (c *command) searchPath() string {
	for _, variable := range c.env {
		if path, ok := strings.CutPrefix(variable, "PATH="); ok {
			return path
		}
	}
	return defaultPath
}

// goCollection is how much garbage a plugin in Go lets gather, in percent of what is in use. A batch is garbage once it
// is answered: at Go's own 100 % the memory of a large one goes back to the kernel and comes anew with the next, which
// costs more than the answers.
const goCollection = 400

// environment is what the process finds besides what is said of sockets and proxies. Later settings prevail.
func (c *command) environment() []string {
	return append([]string{
		"PATH=" + c.searchPath(), fmt.Sprintf("GOGC=%d", goCollection), fmt.Sprintf("GOMEMLIMIT=%d", c.memory),
	}, c.env...)
}

// pin digests what runs, which must be what has been inspected.
func (c *command) pin(digest string) (err error) {
	if c.pinned, err = pin(programOf(*c)); err == nil && digestOf(c.pinned) != digest {
		err = changedError(c.path)
	}
	return err
}

// makeWritable makes the files and folders that the process may write, so that it can be given them and not what they
// lie in. A name that ends in a slash is a folder's.
func (c *command) makeWritable() error {
	for _, name := range c.write {
		path := c.local(name)
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(path, 0o755); err != nil {
				return fmt.Errorf("grant.write: %w", err)
			}
			continue
		}
		if _, err := os.Stat(path); err == nil {
			continue
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
		if err != nil {
			return fmt.Errorf("grant.write: %w", err)
		}
		if err := f.Close(); err != nil {
			return fmt.Errorf("grant.write: %w", err)
		}
	}
	return nil
}

// local returns a path that counts from the working directory.
func (c *command) local(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(c.dir, path)
}

// share makes the memory that the process is to share.
func (c *command) share(cmd *exec.Cmd) (*shared, error) {
	if !c.shares {
		return nil, nil
	}
	s, err := newShared()
	if s != nil {
		cmd.ExtraFiles = []*os.File{s.file}
	}
	return s, err
}

// confine makes the command start its process in its confinement, as far as the system has it. The process's own socket
// goes into the folder sockets.
func (c *command) confine(cmd *exec.Cmd, sockets string) error {
	with := contains()
	if !with.Namespaces {
		if err := unchanged(c.pinned); err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, "TMPDIR="+sockets)
	}
	if with.none() {
		return nil
	}
	dir, err := filepath.Abs(c.dir)
	if err != nil {
		return err
	}
	hidden, err := realPaths(c.hidden)
	if err != nil {
		return err
	}
	root := filepath.Join(c.sockets, "root")
	if err := os.Mkdir(root, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	cmd.Env = append(cmd.Env, c.net.environment()...)
	return confine(cmd, confinement{
		containment: with, Program: c.path, Args: c.args, Dir: dir, Root: root, View: c.view(dir, sockets),
		Hidden: hidden, Pinned: c.pinned, Memory: c.memory, Shared: len(cmd.ExtraFiles) > 0, Net: c.net,
	})
}

// realPaths returns the paths that exist, absolute and without symbolic links.
func realPaths(paths []string) (real []string, err error) {
	for _, path := range paths {
		if path, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		if path, err := filepath.EvalSymlinks(path); err == nil {
			real = append(real, path)
		}
	}
	return real, nil
}

// view is what the process sees: the system, the program, the working directory, what the recipe grants, its sockets.
func (c *command) view(dir, sockets string) []place {
	v := view{}
	v.addSystem()
	v.addProgram(programOf(*c))
	if !crowded(dir) {
		v.add(dir, false)
	}
	for _, path := range c.read {
		v.add(c.local(path), false)
	}
	for _, path := range c.write {
		v.add(c.local(path), true)
	}
	v.add(sockets, true)
	for _, socket := range []string{c.host, c.net.Socket} {
		if socket != "" {
			v.add(socket, false)
		}
	}
	return v.places()
}
