package plugin

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
)

// logQuota bounds what all instances of a plugin may write to the log, in bytes.
const logQuota = 1 << 20

// A guestLog takes what the instances of a plugin log, up to the quota.
type guestLog struct {
	log  *slog.Logger
	left atomic.Int64
}

func newGuestLog(log *slog.Logger) *guestLog {
	g := &guestLog{log: log}
	g.left.Store(logQuota)
	return g
}

// write logs one message. The one that exceeds the quota is replaced by a note, later ones are lost.
func (g *guestLog) write(level slog.Level, message string) {
	before := g.left.Add(-int64(len(message))-1) + int64(len(message)) + 1
	switch {
	case before <= 0:
		return
	case before <= int64(len(message)):
		level, message = slog.LevelWarn, "the plugin has used up its log quota; what it logs from here on is lost"
	}
	g.log.Log(context.Background(), level, strings.ToValidUTF8(message, "\uFFFD"))
}

// maxLine bounds a line that is logged.
const maxLine = 4 << 10

// An output is the standard output or error of one instance. Its lines go to the log; the one that best explains why
// the instance ended is kept. It is safe for concurrent use.
type output struct {
	log *guestLog

	mu    sync.Mutex
	line  []byte // not ended yet
	last  string // line
	cause string // line where a panic begins; what follows is the dump
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.line = append(o.line, p...)
	for {
		end := bytes.IndexByte(o.line, '\n')
		switch {
		case end >= 0:
			o.take(string(o.line[:end]))
			o.line = append(o.line[:0], o.line[end+1:]...)
		case len(o.line) > maxLine:
			o.take(string(o.line))
			o.line = o.line[:0]
		default:
			return len(p), nil
		}
	}
}

// levels are the marks that sdk/wire and go-plugin put before a line.
var levels = []struct {
	mark  string
	level slog.Level
}{
	{"[TRACE] ", slog.LevelDebug}, {"[DEBUG] ", slog.LevelDebug}, {"[INFO] ", slog.LevelInfo},
	{"[WARN] ", slog.LevelWarn}, {"[ERROR] ", slog.LevelError},
}

// take logs a line at the level of its mark.
func (o *output) take(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	o.last = line
	for _, l := range levels {
		if rest, ok := strings.CutPrefix(line, l.mark); ok {
			o.log.write(l.level, rest)
			return
		}
	}
	switch {
	case o.cause != "":
		o.log.write(slog.LevelDebug, line)
	case strings.HasPrefix(line, "panic: "), strings.HasPrefix(line, "fatal error: "),
		strings.HasPrefix(line, "runtime/cgo: "):
		o.cause = line
		o.log.write(slog.LevelError, line)
	default:
		o.log.write(slog.LevelInfo, line)
	}
}

// say logs what the instance has the host log. An error explains the end of the instance: a module whose language has no
// standard error says it before it traps.
func (o *output) say(level slog.Level, message string) {
	if level >= slog.LevelError {
		o.mu.Lock()
		o.last = message
		o.mu.Unlock()
	}
	o.log.write(level, message)
}

// forget makes what follows the only output that explains anything.
func (o *output) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last, o.cause = "", ""
}

// lastWords returns the line where a panic begins, or else the last one.
func (o *output) lastWords() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if unended := strings.TrimSpace(string(o.line)); unended != "" && o.cause == "" {
		return unended
	}
	return strings.TrimSpace(cmp.Or(o.cause, o.last))
}

// explained adds an instance's last words to what happened to it.
func (o *output) explained(what string) string {
	if words := o.lastWords(); words != "" {
		return what + ": " + words
	}
	return what
}
