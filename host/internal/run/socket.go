package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// The control socket lies in a folder that only its owner may enter, whatever the mode that the system gives sockets.
const (
	controlFolder = ".control"
	controlSocket = "socket"
)

// longestAddress is what all systems take as the path of a socket, in bytes.
const longestAddress = 100

// listenIn opens the control socket of a run directory, which this process has locked: what is there was left by one
// that was killed. free removes it.
func listenIn(dir string) (l net.Listener, free func() error, err error) {
	folder := filepath.Join(dir, controlFolder)
	if err := errors.Join(os.RemoveAll(folder), os.Mkdir(folder, 0o700)); err != nil {
		return nil, nil, fmt.Errorf("control socket: %w", err)
	}
	free = func() error { return os.RemoveAll(folder) }
	err = addressed(folder, func(address string) (err error) {
		if l, err = net.Listen("unix", address); err != nil {
			return err
		}
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		return os.Chmod(address, 0o600)
	})
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("control socket: %w", err), free())
	}
	return l, free, nil
}

// dialIn connects to the control socket of a run directory.
func dialIn(ctx context.Context, dir string) (conn net.Conn, err error) {
	err = addressed(filepath.Join(dir, controlFolder), func(address string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", address)
		return err
	})
	return conn, err
}

// addressed gives use an address of the socket in a folder that is short enough: its path, or one by way of the open
// folder.
func addressed(folder string, use func(address string) error) error {
	path := filepath.Join(folder, controlSocket)
	if len(path) <= longestAddress {
		return use(path)
	}
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(use(fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), controlSocket)), f.Close())
}
