package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/carebot-llm/carebot/host/internal/plugin"
)

// holdVariable makes the test binary a process that waits for signals.
const holdVariable = "CAREBOT_TEST_HOLD"

func TestMain(m *testing.M) {
	plugin.Reexec()
	if os.Getenv(holdVariable) != "" {
		os.Exit(hold())
	}
	testscript.Main(m, map[string]func(){"carebot": main})
}

// hold is a verb that ends at the first signal when its variable says "once", and ignores it otherwise.
func hold() int {
	ctx, stop := withSignals(context.Background())
	defer stop()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println(context.Cause(ctx))
	if os.Getenv(holdVariable) == "once" {
		return (&app{err: os.Stderr}).exitCode(ctx, nil, ctx.Err())
	}
	time.Sleep(time.Minute)
	return 0
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "../../testdata/script",
		Setup: authors,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":     exits,
			"serves":    serves,
			"traces":    traces,
			"validates": validates,
			"weights":   weights,
		},
	})
}

// authors gives scripts what the author of a plugin has: the kit of this checkout and the caches of the Go tools.
func authors(e *testscript.Env) error {
	kit, err := filepath.Abs("../../../sdk")
	if err != nil {
		return err
	}
	e.Setenv("CAREBOT_SDK", kit)
	e.Setenv("CAREBOT_CACHE", filepath.Join(e.WorkDir, ".cache"))
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOSUMDB"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return err
		}
		e.Setenv(name, strings.TrimSpace(string(value)))
	}
	return nil
}

// exits CODE PROGRAM ARGS... runs a program and compares its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var status *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case err == nil && want == 0:
	case err == nil:
		ts.Fatalf("exit code 0, want %d", want)
	case !errors.As(err, &status):
		ts.Fatalf("run %s: %v", args[1], err)
	case status.ExitCode() != want:
		ts.Fatalf("exit code %d, want %d", status.ExitCode(), want)
	}
}

// validates SCHEMA FILE checks a YAML file against a JSON Schema.
func validates(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: validates SCHEMA FILE")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(ts.ReadFile(args[0]))))
	ts.Check(err)
	c := jsonschema.NewCompiler()
	ts.Check(c.AddResource("schema.json", doc))
	schema, err := c.Compile("schema.json")
	ts.Check(err)
	var value any
	ts.Check(yaml.Unmarshal([]byte(ts.ReadFile(args[1])), &value))
	if err := schema.Validate(value); (err == nil) == neg {
		ts.Fatalf("the schema says: %v", err)
	}
}

// traces FILE wants a trace of steps and of kernel calls with their shapes, operations and bytes.
func traces(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: traces FILE")
	}
	var trace struct {
		TraceEvents []struct {
			Name, Cat, Ph string
			TS, Dur       float64
			Args          struct {
				Shape        string
				Flops, Bytes float64
			}
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &trace))
	calls := map[string]int{}
	for _, e := range trace.TraceEvents {
		if e.Ph == "X" && e.Dur > 0 && e.TS >= 0 && (e.Cat == "step" || e.Args.Shape != "" && e.Args.Bytes > 0) {
			calls[e.Cat+" "+e.Name]++
		}
		if e.Name == "MatMul" && e.Args.Flops <= 0 {
			ts.Fatalf("a product of %s without operations", e.Args.Shape)
		}
	}
	if calls["step step"] != 2 || calls["kernel MatMul"] == 0 || calls["kernel AdamW"] == 0 {
		ts.Fatalf("the trace holds %v", calls)
	}
}

func TestSignalsEndTheContextThenTheProcess(t *testing.T) {
	for _, c := range []struct {
		mode    string
		signals []syscall.Signal
		cause   string
		code    int
	}{
		{"once", []syscall.Signal{syscall.SIGINT}, "interrupted", 130},
		{"once", []syscall.Signal{syscall.SIGTERM}, "terminated", 143},
		{"deaf", []syscall.Signal{syscall.SIGTERM, syscall.SIGINT}, "terminated", 130},
	} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), holdVariable+"="+c.mode)
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(pipe)
		for _, s := range c.signals {
			lines.Scan() // ready for this signal
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
		}
		for lines.Scan() {
			if lines.Text() != c.cause {
				t.Errorf("the cause is %q, want %q", lines.Text(), c.cause)
			}
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != c.code {
			t.Errorf("after %v: %v, want exit code %d", c.signals, err, c.code)
		}
	}
}

func TestEnvironmentKeepsSecrets(t *testing.T) {
	got := environment([]string{
		"HF_TOKEN=abc", "HF_TOKEN_PATH=/t", "CAREBOT_API_KEY=abc", "HF_ENDPOINT=https://me:abc@example.org/",
		"PATH=/bin", "GOGC=50",
	})
	want := []string{
		"CAREBOT_API_KEY=(set)", "GOGC=50", "HF_ENDPOINT=https://me:xxxxx@example.org/", "HF_TOKEN=(set)",
		"HF_TOKEN_PATH=/t",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("environment is %q, want %q", got, want)
	}
}
