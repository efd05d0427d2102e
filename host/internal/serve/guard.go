package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"
)

// bodyLimit bounds the bytes of a request.
const bodyLimit = 8 << 20

// Listen opens an address. Without a token only programs of this machine may ask.
func Listen(address, token string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w; want HOST:PORT", err)
	}
	if ip := net.ParseIP(host); token == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf(
			"listen on %s: other machines reach it, so give a token by --token-file or CAREBOT_TOKEN", address)
	}
	return net.Listen("tcp", address)
}

// guard refuses what no program of the user's would send: on a loopback address, requests for another host, as come of
// DNS that was bent; changes from other sites' pages; and bodies that are not JSON, which such pages may send unasked.
func guard(listen net.Addr, next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	local := isLoopback(listen)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		if local && !isLoopbackName(r.Host) {
			refuse(w, &failure{Status: http.StatusForbidden, Type: typeRequest,
				Message: fmt.Sprintf("this server is not called %q", r.Host)})
			return
		}
		if r.Method == http.MethodPost && !isJSON(r) {
			refuse(w, &failure{Status: http.StatusUnsupportedMediaType, Type: typeRequest,
				Message: "the Content-Type must be application/json"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// isLoopbackName reports whether a Host header names this machine, by whatever port.
func isLoopbackName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

func isJSON(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}

// allowed lets only those in that bear the token.
func (s *Server) allowed(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(s.Token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(token))
		if s.Token != "" && (!strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1) {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, &failure{Status: http.StatusUnauthorized, Type: typeAuthentication, Code: "invalid_api_key",
				Message: "the request bears no token, or a wrong one"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// enter counts n answers that begin, unless they are too many. Leave must be called when they have ended.
func (s *Server) enter(n int) (leave func(), err error) {
	if s.busy.Add(int64(n)) > int64(s.Queue) {
		s.busy.Add(int64(-n))
		return nil, &failure{Status: http.StatusTooManyRequests, Type: typeRate, Code: "queue_full",
			Message: fmt.Sprintf("%d answers wait or grow already, as many as may; try again later", s.Queue)}
	}
	return func() { s.busy.Add(int64(-n)) }, nil
}

var (
	errSlow  = errors.New("the request took longer than the server allows")
	errEnded = errors.New("the server ends")
)

// writeTime is how long a client may take to receive what is written at once.
const writeTime = 30 * time.Second

// A watchedWriter remembers the status, and lets no client that has stopped reading hold a request.
type watchedWriter struct {
	http.ResponseWriter
	status int
}

func (w *watchedWriter) code() int { return max(w.status, http.StatusOK) }

func (w *watchedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(b []byte) (int, error) {
	w.status = w.code()
	http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(writeTime)) // tests' writers have none
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
