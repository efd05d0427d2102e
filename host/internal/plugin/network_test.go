package plugin

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGrantedHostsGetDoors(t *testing.T) {
	n, err := newNetwork("socket", []string{
		"api.example.org:443", "API.example.org:80", "127.0.0.1:8000", "localhost:8001", "10.1.2.3:9000",
		"10.1.2.3:9001",
		"[::1]:8002", "[2001:db8::1]:8003", "b.example.org:https",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := network{
		Socket:  "socket",
		Names:   []hostName{{"api.example.org", "127.0.3.1"}, {"b.example.org", "127.0.3.2"}},
		Aliases: []netip.Addr{netip.MustParseAddr("10.1.2.3")},
		Doors: []door{
			{proxyAddress, ""}, {"127.0.3.1:443", "api.example.org:443"}, {"127.0.3.1:80", "api.example.org:80"},
			{"127.0.0.1:8000", "127.0.0.1:8000"}, {"127.0.0.1:8001", "localhost:8001"},
			{"10.1.2.3:9000", "10.1.2.3:9000"}, {"10.1.2.3:9001", "10.1.2.3:9001"}, {"[::1]:8002", "[::1]:8002"},
			{"127.0.3.2:443", "b.example.org:443"},
		},
		Ports: []uint16{443, 80, 8000, 8001, 9000, 9001, 8002, 8003, 443},
	}
	if diff := cmp.Diff(want, n, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if hosts := "127.0.0.1 localhost\n127.0.3.1 api.example.org\n127.0.3.2 b.example.org\n"; n.hosts() != hosts {
		t.Errorf("hosts %q", n.hosts())
	}
}

func TestGrantOfTheNetworkThatIsNoneIsNamed(t *testing.T) {
	_, err := newNetwork("", []string{"example.org", ":80", "h:no-such-service", "a b:80", "x\n1.2.3.4 bank:80"})
	wantError(t, err, `"example.org" is not host:port`, `":80" names no host`, `"h:no-such-service" names no port`,
		`"a b:80" names no host`, `bank:80" names no host`)
}

// FuzzGrant looks for grants that would say something else in /etc/hosts, or lead where they do not name.
func FuzzGrant(f *testing.F) {
	for _, seed := range []string{"example.org:80", "[::1]:http", "1.2.3.4:5", "a\nb:1", "h.:0", "127.1:3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		n, err := newNetwork("socket", []string{target})
		if err != nil {
			return
		}
		if lines := strings.Count(n.hosts(), "\n"); lines != 1+len(n.Names) {
			t.Errorf("%q makes %d lines", target, lines)
		}
		for _, d := range n.Doors[1:] {
			if _, err := netip.ParseAddrPort(d.Address); err != nil || d.Target != canonical(d.Target) {
				t.Errorf("%q makes the door %+v, %v", target, d, err)
			}
		}
	})
}

func TestGrantedNameMustNotLeadInward(t *testing.T) {
	for address, inward := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "169.254.169.254:80": true, "0.0.0.0:80": true, "[fe80::1]:80": true,
		"[::ffff:127.0.0.1]:80": true, "10.0.0.1:80": false, "192.0.2.1:80": false, "[2001:db8::1]:80": false,
	} {
		if err := outwardOnly("tcp", address, nil); (err != nil) != inward {
			t.Errorf("%s: %v", address, err)
		}
	}
}
