// Command prober is a plugin that tries what the documents tell it to and says what came of it.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/carebot-llm/carebot/sdk"
	"github.com/carebot-llm/carebot/sdk/wire"
)

func init() {
	sdk.Register(sdk.Plugin{
		Manifest: sdk.Manifest{
			ABI: sdk.ABI, Name: "prober", Version: "1", Kinds: []sdk.Kind{sdk.KindScorer}, Purity: sdk.Pure,
			Columns: []string{"text"}, Scores: []sdk.ScoreInfo{{Name: "done"}},
		},
		New: func(sdk.Env) (any, error) { return scorer{}, nil },
	})
}

func main() { wire.Serve() }

type scorer struct{}

func (scorer) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	for i, d := range docs {
		what, of, _ := strings.Cut(d.Text, " ")
		said, err := attempts[what](of)
		if err != nil {
			said = "error: " + err.Error()
		}
		ratings[i] = sdk.Rating{Scores: map[string]float64{"done": 1}, Detail: said}
	}
	return ratings, nil
}

var attempts = map[string]func(string) (string, error){
	"read": func(path string) (string, error) {
		text, err := os.ReadFile(path)
		return string(text), err
	},
	"list": func(folder string) (string, error) {
		names, err := filepath.Glob(filepath.Join(folder, "*"))
		return strings.Join(names, " "), err
	},
	"write": func(path string) (string, error) {
		return "written", os.WriteFile(path, []byte("by the plugin"), 0o600)
	},
	"env": func(name string) (string, error) { return os.Getenv(name), nil },
	"dial": func(address string) (string, error) {
		conn, err := net.DialTimeout("tcp", address, 5*time.Second)
		if err != nil {
			return "", err
		}
		return "connected", conn.Close()
	},
	"get":   func(target string) (string, error) { return get("", target) },
	"proxy": func(target string) (string, error) { return get(os.Getenv("HTTP_PROXY"), target) },
	"self":  status,
	"unshare": func(string) (string, error) {
		cmd := exec.Command("/bin/true")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
		return "unshared", cmd.Run()
	},
	"trace":  func(string) (string, error) { return "traced", syscall.PtraceAttach(1) },
	"exit":   func(string) (string, error) { os.Exit(3); return "", nil },
	"signal": func(string) (string, error) { return "", syscall.Kill(os.Getpid(), syscall.SIGKILL) },
	"stop": func(string) (string, error) {
		err := syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		time.Sleep(time.Hour) // the threads that run on for a moment go no further
		return "stopped", err
	},
	"spin":     func(string) (string, error) { return spin() },
	"hoard":    func(string) (string, error) { return hoard() },
	"truncate": func(string) (string, error) { return "truncated", syscall.Ftruncate(3, 0) },
	"sleep": func(text string) (string, error) {
		d, err := time.ParseDuration(text)
		time.Sleep(d)
		return "slept", err
	},
	"babble": func(string) (string, error) {
		_, err := syscall.Write(1, bytes.Repeat([]byte("babble "), 50_000))
		return "babbled", err
	},
	"orphan": func(string) (string, error) {
		cmd := exec.Command("/bin/sleep", "3600")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return "left", cmd.Start()
	},
	"close": func(string) (string, error) {
		for fd := 3; fd < 100; fd++ {
			if _, err := syscall.Getsockname(fd); err == nil {
				_ = syscall.Shutdown(fd, syscall.SHUT_RDWR)
			}
		}
		time.Sleep(time.Hour)
		return "", nil
	},
	"child": func(command string) (string, error) {
		said, err := exec.Command("/bin/sh", "-c", command).CombinedOutput()
		return string(said), err
	},
}

func spin() (string, error) {
	for x := 1; x > 0; {
		x ^= 2
	}
	return "", nil
}

func hoard() (string, error) {
	all := "x"
	for len(all) > 0 {
		all += all
	}
	return all, nil
}

// get fetches a URL through a proxy, if any. Unlike http.ProxyFromEnvironment it uses the proxy for loopback as well.
func get(through, target string) (string, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	if through != "" {
		proxy, err := url.Parse(through)
		if err != nil {
			return "", err
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get(target)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return fmt.Sprintf("%d %s", answer.StatusCode, text), err
}

// status returns the fields of this process's status that say what it may do.
func status(string) (string, error) {
	text, err := os.ReadFile("/proc/self/status")
	var said []string
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasPrefix(line, "Cap") || strings.HasPrefix(line, "NoNew") || strings.HasPrefix(line, "Seccomp:") {
			said = append(said, strings.Join(strings.Fields(line), ""))
		}
	}
	return fmt.Sprint(said), err
}
