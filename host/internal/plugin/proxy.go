package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// A proxy takes the connections of a plugin's processes to the hosts that the recipe grants, and to no others. It is an
// HTTP proxy on a Unix socket. Names are resolved here.
type proxy struct {
	socket  string
	granted map[string]bool // canonical host:port
	log     *guestLog
	server  *http.Server
	slots   chan struct{} // one for each connection outward
}

// maxConnections bounds the connections of all processes of a plugin.
const maxConnections = 128

// Time-outs of the proxy.
const (
	dialTimeout   = 30 * time.Second
	headerTimeout = 30 * time.Second
)

func newProxy(socket string, granted []string, log *guestLog) (*proxy, error) {
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen for the plugin's connections: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return nil, err
	}
	p := &proxy{socket: socket, granted: map[string]bool{}, log: log, slots: make(chan struct{}, maxConnections)}
	for _, target := range granted {
		p.granted[canonical(target)] = true
	}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: headerTimeout}
	go func() { _ = p.server.Serve(listener) }()
	return p, nil
}

// ServeHTTP answers CONNECT with a tunnel and relays other requests.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target := r.Host
	if r.Method != http.MethodConnect {
		target = withPort(r.URL.Host)
	}
	target = canonical(target)
	if !p.granted[target] {
		p.log.write(slog.LevelWarn, "refused a connection to "+target+": grant.network does not name it")
		http.Error(w, target+" is not granted", http.StatusForbidden)
		return
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		http.Error(w, fmt.Sprintf("more than %d connections", maxConnections), http.StatusServiceUnavailable)
		return
	}
	if r.Method == http.MethodConnect {
		tunnel(w, r, target)
		return
	}
	relayed.ServeHTTP(w, r)
}

func withPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err != nil {
		return net.JoinHostPort(host, "80")
	}
	return host
}

// relayed sends a request on that names a whole URL.
var relayed = &httputil.ReverseProxy{
	Rewrite:   func(*httputil.ProxyRequest) {},
	Transport: &http.Transport{DialContext: dialGranted, DisableKeepAlives: true},
}

// tunnel connects the process with the target until either closes.
func tunnel(w http.ResponseWriter, r *http.Request, target string) {
	outward, err := dialGranted(r.Context(), "tcp", target)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer outward.Close()
	inward, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer inward.Close()
	if _, err := io.WriteString(inward, "HTTP/1.1 200 Connected\r\n\r\n"); err != nil {
		return
	}
	join(inward, buffered, outward)
}

// join carries bytes both ways until both sides have said all. What is read of a comes from its reader.
func join(a net.Conn, reader io.Reader, b net.Conn) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(b, reader)
		closeWrite(b)
	}()
	_, _ = io.Copy(a, b)
	closeWrite(a)
	<-done
}

// closeWrite tells the other end that nothing follows.
func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	_ = c.Close()
}

var errInward = errors.New("the granted name leads to this machine; grant the address or localhost")

// dialGranted connects to a granted target, however it is written. A name must not lead to this machine or its link,
// where services trust who can reach them: whoever owns the name could choose so.
func dialGranted(ctx context.Context, kind, target string) (net.Conn, error) {
	target = canonical(target)
	host, _, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Timeout: dialTimeout}
	if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
		d.Control = outwardOnly
	}
	return d.DialContext(ctx, kind, target)
}

func outwardOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if ip := to.Addr().Unmap(); ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() {
		return errInward
	}
	return nil
}

func (p *proxy) close() { _ = p.server.Close() }

var _ http.Handler = (*proxy)(nil)
