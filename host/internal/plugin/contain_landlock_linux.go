package plugin

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// landlockVersion returns the version of the kernel's Landlock, 0 when it has none.
func landlockVersion() int {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(version)
}

// Rights over files.
const (
	readRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	allRights  = unix.LANDLOCK_ACCESS_FS_IOCTL_DEV<<1 - 1
	// fileRights are those that a rule for a file, not a folder, may give.
	fileRights = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE |
		unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
)

// ruleset returns what Landlock decides on: the rights that its version knows.
func (c *confinement) ruleset() (r unix.LandlockRulesetAttr) {
	r.Handled_access_fs = unix.LANDLOCK_ACCESS_FS_REFER - 1
	for _, added := range []struct {
		version int
		right   uint64
	}{
		{2, unix.LANDLOCK_ACCESS_FS_REFER}, {3, unix.LANDLOCK_ACCESS_FS_TRUNCATE},
		{5, unix.LANDLOCK_ACCESS_FS_IOCTL_DEV},
	} {
		if c.Landlock >= added.version {
			r.Handled_access_fs |= added.right
		}
	}
	if c.Landlock >= 4 && !c.Namespaces && len(c.Net.Ports) == 0 {
		r.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if c.Landlock >= 6 {
		r.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	return r
}

// lock keeps this thread, and what it starts, to the places of the view. It is the second line behind the private file
// system, and the only one without.
func (c *confinement) lock() error {
	if c.Landlock == 0 {
		return nil
	}
	attr := c.ruleset()
	made, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("make a ruleset: %w", errno)
	}
	rules := int(made)
	defer unix.Close(rules)
	for _, p := range c.allowed() {
		if err := allow(rules, p, attr.Handled_access_fs); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("allow %s: %w", p.Path, err)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, made, 0, 0); errno != 0 {
		return fmt.Errorf("restrict: %w", errno)
	}
	return nil
}

// allowed are the places that Landlock lets the process reach.
func (c *confinement) allowed() []place {
	all := append([]place{{Path: "/proc"}}, c.View...)
	for _, device := range devices {
		all = append(all, place{Path: device, Write: true})
	}
	if c.Namespaces {
		all = append(all, place{Path: "/"})
		for _, folder := range ownFolders {
			all = append(all, place{Path: folder, Write: true})
		}
	}
	return all
}

// allow adds a rule for a place.
func allow(rules int, p place, handled uint64) error {
	fd, err := unix.Open(p.Path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	rights := uint64(readRights)
	if p.Write {
		rights = allRights
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= fileRights
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: rights & handled, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(rules), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
