package plugin

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"

	"golang.org/x/sys/unix"
)

// open brings the loopback interface up and listens at the doors.
func (n *network) open() error {
	if err := raiseLoopback(n); err != nil {
		return err
	}
	if n.Socket == "" {
		return nil
	}
	for _, d := range n.Doors {
		listener, err := net.Listen("tcp", d.Address)
		if err != nil {
			return fmt.Errorf("stand for %s: %w", d.Target, err)
		}
		go d.keep(listener, n.Socket)
	}
	return nil
}

// raiseLoopback brings the interface up, and with aliases gives it the addresses that are granted.
func raiseLoopback(n *network) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := configure4(fd, "lo", unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error {
		r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		return nil
	}); err != nil {
		return err
	}
	for i, address := range n.Aliases {
		alias := fmt.Sprintf("lo:%d", i)
		for _, set := range []struct {
			request uint
			value   []byte
		}{{unix.SIOCSIFADDR, address.AsSlice()}, {unix.SIOCSIFNETMASK, []byte{255, 255, 255, 255}}} {
			err := configure4(fd, alias, set.request, func(r *unix.Ifreq) error { return r.SetInet4Addr(set.value) })
			if err != nil {
				return fmt.Errorf("take the address %s: %w", address, err)
			}
		}
	}
	return nil
}

// configure4 changes one thing about an interface.
func configure4(fd int, name string, request uint, fill func(*unix.Ifreq) error) error {
	r, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	if err := fill(r); err != nil {
		return err
	}
	return unix.IoctlIfreq(fd, request, r)
}

// keep takes connections through the door, for as long as the warden lives.
func (d door) keep(listener net.Listener, socket string) {
	for {
		inward, err := listener.Accept()
		if err != nil {
			continue
		}
		go d.take(inward, socket)
	}
}

// take connects one connection with the proxy and, unless the door leads to that, with the target through it.
func (d door) take(inward net.Conn, socket string) {
	defer inward.Close()
	outward, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer outward.Close()
	reader := io.Reader(outward)
	if d.Target != "" {
		if reader, err = askTunnel(outward, d.Target); err != nil {
			return
		}
	}
	join(outward, reader, inward)
}

// askTunnel asks the proxy for a tunnel and returns what reads from it.
func askTunnel(proxy net.Conn, target string) (io.Reader, error) {
	if _, err := fmt.Fprintf(proxy, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", target, target); err != nil {
		return nil, err
	}
	reader := bufio.NewReader(proxy)
	answer, err := http.ReadResponse(reader, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the proxy answers %s", answer.Status)
	}
	return reader, nil
}
