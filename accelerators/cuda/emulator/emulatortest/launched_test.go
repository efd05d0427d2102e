//go:build cuda

package emulatortest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"gorgonia.org/cu"

	_ "github.com/carebot-llm/carebot/accelerators/cuda/driver" // opens the library
)

// kernelToLaunch is set for the processes that launch a kernel instead of testing.
const kernelToLaunch = "CAREBOT_EMULATORTEST_KERNEL"

// launched is what a launch of a kernel answers in this process, through gorgonia.org/cu.
func launched(kernel string) error {
	runtime.LockOSThread()
	device, err := cu.GetDevice(0)
	if err != nil {
		return err
	}
	context, err := device.RetainPrimaryCtx()
	if err != nil {
		return err
	}
	if err := cu.SetCurrentContext(context); err != nil {
		return err
	}
	module, err := cu.LoadData("kernels")
	if err != nil {
		return err
	}
	function, err := module.Function(kernel)
	if err != nil {
		return err
	}
	memory, err := cu.MemAlloc(4 * 4 * 128)
	if err != nil {
		return err
	}
	at := unsafe.Pointer(&memory)
	return function.Launch(4, 1, 1, 128, 1, 1, 512, cu.Stream{}, []unsafe.Pointer{at, at})
}

// Go has its own handlers of signals; the emulator's must get those that a kernel causes.
func TestFaultsInsideGoAreErrors(t *testing.T) {
	library := filepath.Join(built(t).dir, "libcuda.so")
	for kernel, want := range map[string]string{
		"rotates":                "<nil>",
		"writes_beyond_memory":   "IllegalAddress",
		"hangs":                  "LaunchFailed",
		"touches_memory_of_none": "IllegalAddress",
	} {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), kernelToLaunch+"="+kernel, "CAREBOT_LIBCUDA="+library)
		text, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v: %s, want %s", kernel, err, text, want)
		}
	}
}

func TestTrampolines(t *testing.T) {
	c := built(t)
	library := "CAREBOT_LIBCUDA=" + filepath.Join(c.dir, "libcuda.so")
	if text, err := c.run(library, "rotate-trampolines", "rotates"); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	if text, err := c.run("CAREBOT_LIBCUDA=", "rotate-trampolines", "rotates"); err == nil {
		t.Errorf("without a driver: %s", text)
	}
}

// What depends on the architecture, on the other one that there is: the switch of stacks, signals and the trampolines.
func TestArm64(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything once more")
	}
	emulated := []string{"qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"}
	arm := &compiler{"aarch64-linux-gnu-g++", emulated, t.TempDir()}
	for _, name := range []string{arm.cxx, arm.runner[0]} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("arm64 is not tested: there is no " + name)
		}
	}
	arm.programs(t)
	library := "CAREBOT_LIBCUDA=" + filepath.Join(arm.dir, "libcuda.so")
	for _, run := range []struct{ program, argument, want string }{
		{"rotate", "rotates_with_copies", ""},
		{"rotate", "hangs", "for ever"},
		{"rotate", "writes_beyond_memory", "beyond the end"},
		{"rotate-races", "races", "race"},
		{"collectives", "", ""},
		{"driver", "graphs", ""},
		{"rotate-trampolines", "rotates", ""},
	} {
		text, err := arm.run(library, run.program, run.argument)
		if (err == nil) != (run.want == "") || !strings.Contains(text, run.want) {
			t.Errorf("%s %s: %v: %s", run.program, run.argument, err, text)
		}
	}
}
