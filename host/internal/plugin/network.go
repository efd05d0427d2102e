package plugin

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// A network is what a contained process finds in its own network namespace: a loopback interface, on which the hosts
// that the recipe grants seem to be, and a proxy. All of it leads to the host's proxy, and nothing else leads out.
type network struct {
	Socket  string       // of the host's proxy; empty without a grant
	Names   []hostName   // for /etc/hosts
	Aliases []netip.Addr // addresses of the loopback interface besides 127.0.0.0/8 and ::1
	Doors   []door
	Ports   []uint16 // that are granted, whatever the host
}

// A hostName is a line of /etc/hosts.
type hostName struct{ Name, Address string }

// A door is an address within the namespace where connections are taken to a granted host:port.
type door struct {
	Address string // IP:port
	Target  string // empty: the proxy itself
}

// proxyAddress is where the proxy is within the namespace.
const proxyAddress = "127.0.2.1:3128"

// newNetwork lays out the namespace of a process that is granted these host:port names.
func newNetwork(socket string, granted []string) (network, error) {
	n := network{Socket: socket, Doors: []door{{Address: proxyAddress}}}
	var problems []error
	for _, target := range granted {
		problems = append(problems, n.grant(target))
	}
	return n, errors.Join(problems...)
}

// hostNames are the names that hosts have.
var hostNames = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)

func (n *network) grant(target string) error {
	host, service, err := net.SplitHostPort(canonical(target))
	if err != nil {
		return fmt.Errorf("grant.network: %q is not host:port", target)
	}
	port, err := net.LookupPort("tcp", service)
	if err != nil || port == 0 {
		return fmt.Errorf("grant.network: %q names no port", target)
	}
	n.Ports = append(n.Ports, uint16(port))
	address, err := netip.ParseAddr(host)
	switch {
	case err != nil && !hostNames.MatchString(host), address.Zone() != "", address.IsValid() && address.IsUnspecified():
		return fmt.Errorf("grant.network: %q names no host", target)
	case err != nil:
		address = n.name(host)
	case !address.IsLoopback() && !address.Is4():
		return nil // an address that the interface cannot be given without netlink: the proxy leads there
	case !address.IsLoopback() && !slices.Contains(n.Aliases, address):
		n.Aliases = append(n.Aliases, address)
	}
	at := netip.AddrPortFrom(address, uint16(port)).String()
	if !slices.ContainsFunc(n.Doors, func(d door) bool { return d.Address == at }) {
		n.Doors = append(n.Doors, door{at, canonical(target)})
	}
	return nil
}

// name returns the address that stands for a host name, the same for all its ports.
func (n *network) name(host string) netip.Addr {
	if host == "localhost" {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	for _, known := range n.Names {
		if known.Name == host {
			return netip.MustParseAddr(known.Address)
		}
	}
	i := len(n.Names)
	address := netip.AddrFrom4([4]byte{127, 0, byte(3 + i/250), byte(1 + i%250)})
	n.Names = append(n.Names, hostName{host, address.String()})
	return address
}

// hosts is the text of /etc/hosts.
func (n *network) hosts() string {
	var text strings.Builder
	text.WriteString("127.0.0.1 localhost\n")
	for _, h := range n.Names {
		fmt.Fprintf(&text, "%s %s\n", h.Address, h.Name)
	}
	return text.String()
}

// environment tells programs that heed it of the proxy.
func (n *network) environment() []string {
	if n.Socket == "" {
		return nil
	}
	var env []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		env = append(env, name+"=http://"+proxyAddress, strings.ToLower(name)+"=http://"+proxyAddress)
	}
	return env
}

// canonical writes a host:port the one way in which it is compared.
func canonical(target string) string {
	host, service, err := net.SplitHostPort(target)
	if err != nil {
		return target
	}
	if port, err := net.LookupPort("tcp", service); err == nil {
		service = fmt.Sprint(port)
	}
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(host, ".")), service)
}
