package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"

	"github.com/carebot-llm/carebot/host/internal/wasm"
)

// compilerName is what the program is called that compiles modules.
const compilerName = "carebot:compile"

// bounds are what compiling a module may take. The engine's compiler has none of its own, and a small module can ask
// for minutes and gigabytes.
type bounds struct {
	time   time.Duration
	memory int64 // bytes
}

var compileBounds = bounds{time: 30 * time.Second, memory: 1 << 30}

// compileWorkers is how many functions are compiled at once.
const compileWorkers = 2

// compile checks, instruments and compiles a module in a process of its own, which leaves the outcome in dir.
func compile(ctx context.Context, dir string, code []byte, b bounds) error {
	if !canReexec {
		return fmt.Errorf("compile a module: %w", errNoReexec)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.time, fmt.Errorf("compiling takes more than %v", b.time))
	defer cancel()
	var complaint bounded
	self, err := thisProgram()
	if err != nil {
		return fmt.Errorf("find this program to compile a module with: %w", err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Args = []string{compilerName, dir, strconv.FormatInt(b.memory, 10), strconv.FormatInt(int64(b.time), 10)}
	cmd.Env = []string{}
	cmd.Stdin, cmd.Stderr = bytes.NewReader(code), &complaint
	cmd.SysProcAttr = groupAttributes()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err = runAttached(cmd)
	switch said := string(complaint.text); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("the module: %w", context.Cause(ctx))
	case strings.Contains(said, "fatal error: "), strings.Contains(said, "out of memory"):
		return fmt.Errorf("the module: compiling takes more than %d MiB of memory", b.memory>>20)
	case said != "":
		return fmt.Errorf("the module: %s", strings.TrimSpace(said))
	}
	return fmt.Errorf("the module: compile it: %w", err)
}

// runAttached runs a command on a thread that lasts as long as the command, which ends with the thread.
func runAttached(cmd *exec.Cmd) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		done <- cmd.Run()
	}()
	return <-done
}

// A bounded keeps the beginning of what is written to it.
type bounded struct{ text []byte }

func (b *bounded) Write(p []byte) (int, error) {
	b.text = append(b.text, p[:min(len(p), maxLine-len(b.text))]...)
	return len(p), nil
}

// compileHere is that program: it reads a module from standard input and leaves in the folder of its first argument what
// load takes from there. The other arguments are the bounds.
func compileHere(args []string) error {
	if len(args) != 3 {
		return errors.New("want a folder, a number of bytes and a number of nanoseconds")
	}
	memory, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	limit, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	if err := limitSelf(bounds{time: time.Duration(limit), memory: memory}); err != nil {
		return err
	}
	code, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	return instrumentAndCompile(args[0], code)
}

// limitSelf bounds this process.
func limitSelf(b bounds) error {
	debug.SetMemoryLimit(b.memory / 4 * 3)
	seconds := uint64(compileWorkers*b.time/time.Second) + 1
	for what, most := range map[int]uint64{
		unix.RLIMIT_CPU: seconds, unix.RLIMIT_DATA: uint64(b.memory), unix.RLIMIT_FSIZE: uint64(b.memory),
		unix.RLIMIT_NOFILE: 64, unix.RLIMIT_CORE: 0,
	} {
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("limit the compiler: %w", err)
		}
	}
	return nil
}

func instrumentAndCompile(dir string, code []byte) error {
	made, err := wasm.Instrument(code)
	if err != nil {
		return err
	}
	state, err := json.Marshal(moduleState{made.Globals, made.Lasting})
	if err != nil {
		return err
	}
	err = errors.Join(os.WriteFile(filepath.Join(dir, installedCode), made.Code, 0o600),
		os.WriteFile(filepath.Join(dir, installedState), state, 0o600))
	if err != nil {
		return err
	}
	ctx := experimental.WithCompilationWorkers(context.Background(), compileWorkers)
	cache, runtime, err := newRuntime(ctx, wazero.NewRuntimeConfigCompiler(), dir)
	if err != nil {
		return err
	}
	if _, err := runtime.CompileModule(ctx, made.Code); err != nil {
		return err
	}
	return errors.Join(runtime.Close(ctx), cache.Close(ctx))
}
