package run

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/host/internal/recipe"
)

// listening is a control whose run does nothing.
func listening(t *testing.T, dir string) *control {
	t.Helper()
	r, err := recipe.Parse(filepath.Join(dir, "r.yaml"), []byte("name: r\nplugins: {reward: {use: test-reward}}\n"+
		"stages: {e: {kind: export, model: m}}\nmodels: {m: {from: m}}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	p := New(r, Options{Log: slog.New(slog.DiscardHandler)})
	p.dir = dir
	c := p.listen(t.Context())
	if c == nil {
		t.Fatal("the control does not listen")
	}
	t.Cleanup(c.close)
	return c
}

func TestOnlyTheOwnerReachesTheControlSocket(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, controlFolder, "left"), 0o755); err != nil { // by a run that was killed
		t.Fatal(err)
	}
	c := listening(t, dir)
	for name, want := range map[string]fs.FileMode{
		controlFolder: fs.ModeDir | 0o700, controlFolder + "/" + controlSocket: fs.ModeSocket | 0o600,
	} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != want {
			t.Errorf("%s has the mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
	c.close()
	if got := names(t, dir); len(got) > 0 {
		t.Errorf("the control leaves %v", got)
	}
}

func TestALongPathHasASocketToo(t *testing.T) {
	dir := t.TempDir()
	for range 8 {
		dir = filepath.Join(dir, strings.Repeat("long", 10))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	listening(t, dir)
	err := Ask(t.Context(), dir, Request{Plugin: "reward", Entry: "use: test-reward"}, func(Reply) {})
	if err == nil || !strings.HasPrefix(err.Error(), "no stage is being judged by reward now; for the next") {
		t.Errorf("error %v", err)
	}
}

func TestARunThatIsNotThereIsNotAsked(t *testing.T) {
	dir := t.TempDir()
	if err := Ask(t.Context(), dir, Request{}, nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("nobody has been there: %v", err)
	}
	l, _, err := listenIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // as when the process was killed: the socket stays
	if err := Ask(t.Context(), dir, Request{}, nil); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a socket was left: %v", err)
	}
}

func TestWhatIsNoRequestIsAnswered(t *testing.T) {
	c := listening(t, t.TempDir())
	for said, want := range map[string]string{
		"\n":                                    "no request: ",
		"{\"plugin\": 1}\n":                     "no request: json: cannot unmarshal",
		"{\"entry\": \"use: a\"}\n":             "no request: want the name of a plugin and a shadow of 0 to 100000",
		"{\"plugin\": \"a\", \"shadow\":-1}\n":  "no request: want the name of a plugin",
		"{\"plugin\": \"a\", \"shadow\":1e9}\n": "no request: ",
		strings.Repeat("x", maxRequest+1):       "no request: want a line of at most 65536 bytes",
	} {
		conn, err := net.Dial("unix", c.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte(said)); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(conn).ReadBytes('\n')
		var r Reply
		if err != nil || json.Unmarshal(line, &r) != nil || !strings.Contains(r.Error, want) {
			t.Errorf("to %.40q the answer is %q (%v), want %q", said, r.Error, err, want)
		}
		conn.Close()
	}
}

// A caller that says nothing holds up neither others, as long as they are few, nor the end of the run.
func TestSilentCallersAreLeftAlone(t *testing.T) {
	c := listening(t, t.TempDir())
	for range maxCallers - 1 {
		conn, err := net.Dial("unix", c.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	err := Ask(t.Context(), c.process.dir, Request{Plugin: "reward", Entry: "use: test-reward"}, func(Reply) {})
	if err == nil || !strings.Contains(err.Error(), "no stage is being judged") {
		t.Errorf("beside silent callers: %v", err)
	}
	begin := time.Now()
	c.close()
	if took := time.Since(begin); took > callTimeout/2 {
		t.Errorf("the run's end waits for %v", took)
	}
}

func TestACallerIsToldWhatItsRunSays(t *testing.T) {
	dir := t.TempDir()
	l, free, err := listenIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer free()
	for said, want := range map[string]string{
		"":                              "ended before it answered",
		"{\"stage\": \"a\"}\n":          "ended before it answered",
		"nothing\n":                     "reply of the run in ",
		"{\"error\": \"no\"}\n":         "no",
		strings.Repeat("x", maxReply+1): "token too long",
	} {
		go func() {
			conn, err := l.Accept()
			if err == nil {
				bufio.NewReader(conn).ReadBytes('\n')
				conn.Write([]byte(said))
				conn.Close()
			}
		}()
		if err := Ask(t.Context(), dir, Request{}, func(Reply) {}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the run says %.40q: error %v, want %q", said, err, want)
		}
	}
}

func TestACallerThatIsStoppedStops(t *testing.T) {
	dir := t.TempDir()
	_, free, err := listenIn(dir) // nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer free()
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(stop) })
	if err := Ask(ctx, dir, Request{}, func(Reply) {}); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

func FuzzRequests(f *testing.F) {
	f.Add([]byte(`{"plugin": "reward", "entry": "use: a", "shadow": 8}` + "\n"))
	f.Add([]byte("{\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		r, err := readRequest(bufio.NewReader(bytes.NewReader(said)))
		if err == nil && (r.Plugin == "" || r.Shadow < 0 || r.Shadow > maxShadow) {
			t.Errorf("%q is taken as %+v", said, r)
		}
	})
}

func FuzzJudgedPrompts(f *testing.F) {
	f.Add([]byte(`{"id": "a", "prompt": [{"role": "user", "text": "?"}],` +
		`"answers": [{"text": "!", "status": "ok", "reward": 1}]}` + "\n{"))
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		last := int64(0)
		readJudged(bytes.NewReader(text), func(l judgedLine, err error) bool {
			if err != nil {
				return true
			}
			if l.end <= last || l.end > int64(len(text)) || text[l.end-1] != '\n' {
				t.Errorf("a line ends at %d after %d of %d", l.end, last, len(text))
			}
			last = l.end
			if judged := l.samples(); len(judged) > len(l.Answers) {
				t.Errorf("%d samples of %d answers", len(judged), len(l.Answers))
			}
			return true
		})
	})
}
