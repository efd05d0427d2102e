package plugin

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// devices are those that every program expects.
var devices = []string{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}

// buildRoot makes a file system of what the process is to see, and takes all else away.
func (c *confinement) buildRoot() error {
	const flags = unix.MS_NOSUID | unix.MS_NODEV
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := mount("tmpfs", c.Root, "tmpfs", flags, "mode=0755"); err != nil {
		return err
	}
	for _, folder := range ownFolders {
		if err := os.MkdirAll(c.inRoot(folder), 0o755); err != nil {
			return err
		}
		size := fmt.Sprintf("mode=0700,size=%d", c.Memory)
		if err := mount("tmpfs", c.inRoot(folder), "tmpfs", flags, size); err != nil {
			return err
		}
	}
	if err := errors.Join(c.addDevices(), c.addFiles(), c.addProc()); err != nil {
		return err
	}
	for _, p := range c.View {
		if err := c.show(p); err != nil {
			return err
		}
	}
	if err := errors.Join(c.hide(), c.copyPinned()); err != nil {
		return err
	}
	if err := os.MkdirAll(c.inRoot(c.Dir), 0o755); err != nil {
		return err
	}
	return c.enterRoot()
}

// ownFolders are in memory, empty for each process.
var ownFolders = []string{"/tmp", "/dev/shm"}

func (c *confinement) inRoot(path string) string { return filepath.Join(c.Root, path) }

func (c *confinement) addDevices() error {
	for _, device := range devices {
		err := c.bind(place{Path: device, From: device}, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NOEXEC)
		if err != nil {
			return err
		}
	}
	for name, to := range map[string]string{"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"} {
		if err := os.Symlink("/proc/self/"+to, c.inRoot("/dev/"+name)); err != nil {
			return err
		}
	}
	return nil
}

// addFiles writes the files of /etc that are of this confinement.
func (c *confinement) addFiles() error {
	user := fmt.Sprintf("plugin:x:%d:%d::/tmp:/bin/false\n", os.Getuid(), os.Getgid())
	for name, text := range map[string]string{"passwd": user, "hosts": c.Net.hosts()} {
		if err := os.MkdirAll(c.inRoot("/etc"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(c.inRoot("/etc/"+name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// addProc mounts /proc for reading: its switches would take effect outside.
func (c *confinement) addProc() error {
	if err := os.MkdirAll(c.inRoot("/proc"), 0o755); err != nil || !c.Proc {
		return err
	}
	return mount("proc", c.inRoot("/proc"), "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_RDONLY, "")
}

// show binds a place. One that is gone since the view was made is not shown.
func (c *confinement) show(p place) error {
	attributes := uint64(unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV)
	if !p.Write {
		attributes |= unix.MOUNT_ATTR_RDONLY
	}
	if err := c.bind(p, attributes); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (c *confinement) bind(p place, attributes uint64) error {
	stat, err := os.Stat(p.From)
	if err != nil {
		return err
	}
	target := c.inRoot(p.Path)
	if err := makeTarget(target, stat.IsDir()); err != nil {
		return err
	}
	if err := mount(p.From, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	return setAttributes(target, attributes)
}

// setAttributes sets what may be done in a mount and in those below it.
func setAttributes(target string, attributes uint64) error {
	attr := unix.MountAttr{Attr_set: attributes}
	if err := unix.MountSetattr(unix.AT_FDCWD, target, unix.AT_RECURSIVE, &attr); err != nil {
		return fmt.Errorf("restrict the mount %s: %w", target, err)
	}
	return nil
}

// makeTarget makes what a folder or file can be mounted on.
func makeTarget(target string, folder bool) error {
	if _, err := os.Lstat(target); err == nil {
		return nil
	}
	if folder {
		return os.MkdirAll(target, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	return os.WriteFile(target, nil, 0o644)
}

// hide puts empty folders over those that are in sight and should not be.
func (c *confinement) hide() error {
	for _, folder := range c.Hidden {
		target := c.inRoot(folder)
		if stat, err := os.Stat(target); err != nil || !stat.IsDir() {
			continue
		}
		const flags = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV
		if err := mount("tmpfs", target, "tmpfs", flags, "mode=0755"); err != nil {
			return err
		}
	}
	return nil
}

// copyPinned puts checked copies over the files that run. What is checked is therefore what runs, whatever becomes of
// the files.
func (c *confinement) copyPinned() error {
	for _, p := range c.Pinned {
		at, err := filepath.EvalSymlinks(p.Path)
		if err != nil {
			return err
		}
		copied := c.inRoot("/copy")
		if err := copyChecked(p, copied); err != nil {
			return err
		}
		if err := c.show(place{Path: at, From: copied}); err != nil {
			return err
		}
		if err := os.Remove(copied); err != nil { // the mount keeps it
			return err
		}
	}
	return nil
}

func copyChecked(p pinned, to string) error {
	from, err := os.Open(p.Path)
	if err != nil {
		return err
	}
	defer from.Close()
	stat, err := from.Stat()
	if err != nil {
		return err
	}
	copied, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, stat.Mode().Perm())
	if err != nil {
		return err
	}
	digest, err := copyDigest(copied, from)
	if err == nil && digest != p.SHA256 {
		err = changedError(p.Path)
	}
	return errors.Join(err, copied.Close())
}

// enterRoot makes the file system the root, for reading but where it is mounted for writing, and lets go of the host's.
func (c *confinement) enterRoot() error {
	if err := os.Chdir(c.Root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot to the private root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("let go of the host's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV}
	return unix.MountSetattr(unix.AT_FDCWD, "/", 0, &attr)
}

func mount(source, target, kind string, flags uintptr, data string) error {
	if err := unix.Mount(source, target, kind, flags, data); err != nil {
		return fmt.Errorf("mount %s: %w", strings.TrimSpace(kind+" "+source+" on "+target), err)
	}
	return nil
}
