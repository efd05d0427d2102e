//go:build cuda

// Package emulatortest builds the emulator with kernels and programs of its own (testdata) and sees whether it does what
// a GPU does, and finds what a GPU leaves undefined.
package emulatortest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"gorgonia.org/cu"

	_ "github.com/carebot-llm/carebot/accelerators/cuda/driver" // opens the library
)

var schedules = []string{"forward", "reverse", "shuffled"}

// Variants of the emulator: as it is, and with the check for races. The Makefile has the same flags.
const (
	flags  = "-x c++ -std=c++17 -O2 -g -fPIC -Wall -Wno-unknown-pragmas -ffp-contract=off"
	plainC = "-x c -O2 -g -fPIC -Wall"
	checks = "-fsanitize=alignment,bounds,shift,integer-divide-by-zero -fno-sanitize-recover=all"
	races  = "-fsanitize=thread"
)

// compiler is a C++ compiler for one architecture, and what runs its programs.
type compiler struct {
	cxx    string
	runner []string
	dir    string
}

// object compiles a source.
func (c *compiler) object(t *testing.T, source, suffix, flags string) string {
	t.Helper()
	out := filepath.Join(c.dir, strings.NewReplacer("/", "-", "..", "emulator").Replace(source)+suffix+".o")
	c.do(t, slices.Concat(strings.Fields(flags), []string{"-c", "-o", out, source}))
	return out
}

func (c *compiler) do(t *testing.T, arguments []string) {
	t.Helper()
	if text, err := exec.Command(c.cxx, arguments...).CombinedOutput(); err != nil || len(text) > 0 {
		t.Fatalf("%s %s: %v\n%s", c.cxx, strings.Join(arguments, " "), err, text)
	}
}

// programs builds the test programs, each with both variants of the kernels; and the library, with a program that opens
// it through the trampolines of package driver.
func (c *compiler) programs(t *testing.T) {
	t.Helper()
	sources, err := filepath.Glob("../*.cpp")
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources", err)
	}
	objects := make([]string, len(sources))
	var all sync.WaitGroup
	for i, source := range sources {
		all.Go(func() { objects[i] = c.object(t, source, "", flags) })
	}
	all.Wait()
	for _, variant := range []struct{ name, flags string }{{"", checks}, {"-races", races}} {
		kernels := c.object(t, "testdata/kernels.cu", variant.name, flags+" "+variant.flags)
		for _, program := range []string{"rotate", "collectives", "driver"} {
			main := c.object(t, "testdata/"+program+".cpp", "", flags)
			c.link(t, program+variant.name, slices.Concat(objects, []string{main, kernels}))
		}
		c.link(t, "libcuda"+variant.name+".so", slices.Concat(objects, []string{kernels, "-shared"}))
	}
	main, trampolines := c.object(t, "testdata/rotate.cpp", "", flags), c.object(t, "../../driver/trampolines.c", "", plainC)
	c.link(t, "rotate-trampolines", []string{main, trampolines})
}

func (c *compiler) link(t *testing.T, name string, objects []string) {
	t.Helper()
	c.do(t, slices.Concat([]string{"-o", filepath.Join(c.dir, name)}, objects, []string{"-ldl"}))
}

// run is what a program says and whether it succeeds.
func (c *compiler) run(program string, arguments, environment []string) (string, error) {
	line := slices.Concat(c.runner, []string{filepath.Join(c.dir, program)}, arguments)
	command := exec.Command(line[0], line[1:]...)
	command.Env = append(os.Environ(), environment...)
	text, err := command.CombinedOutput()
	return string(text), err
}

var native = &compiler{cxx: "g++"}

// built has the programs, once for all tests.
func built(t *testing.T) *compiler {
	t.Helper()
	if _, err := exec.LookPath(native.cxx); err != nil {
		t.Skip("NOTHING OF THE EMULATOR IS TESTED: there is no g++")
	}
	if native.dir == "" {
		native.dir = scratch
		native.programs(t)
	}
	return native
}

var scratch string // is removed after the tests

func TestMain(m *testing.M) {
	if kernel := os.Getenv("CAREBOT_EMULATORTEST"); kernel != "" {
		fmt.Println(launched(kernel))
		os.Exit(0)
	}
	var err error
	if scratch, err = os.MkdirTemp("", "emulator"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

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
	at, err := cu.MemAlloc(4 * 4 * 128)
	if err != nil {
		return err
	}
	return function.Launch(4, 1, 1, 128, 1, 1, 512, cu.Stream{}, []unsafe.Pointer{unsafe.Pointer(&at), unsafe.Pointer(&at)})
}

// Go has its own handlers of signals; the emulator's must get those that a kernel causes, and no others.
func TestFaultsInsideGoAreErrors(t *testing.T) {
	c := built(t)
	for kernel, want := range map[string]string{
		"rotates":                "<nil>",
		"writes_beyond_memory":   "IllegalAddress",
		"hangs":                  "LaunchFailed",
		"touches_memory_of_none": "IllegalAddress",
	} {
		command := exec.Command(os.Args[0])
		command.Env = append(os.Environ(), "CAREBOT_EMULATORTEST="+kernel, "CAREBOT_LIBCUDA="+filepath.Join(c.dir, "libcuda.so"))
		text, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v: %s, want %s", kernel, err, text, want)
		}
	}
}

func TestTrampolines(t *testing.T) {
	c := built(t)
	library := "CAREBOT_LIBCUDA=" + filepath.Join(c.dir, "libcuda.so")
	if text, err := c.run("rotate-trampolines", []string{"rotates"}, []string{library}); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	if text, err := c.run("rotate-trampolines", []string{"rotates"}, []string{"CAREBOT_LIBCUDA="}); err == nil {
		t.Errorf("without a driver: %s", text)
	}
}

// What depends on the architecture, on the other one that there is: the switch of stacks, signals and the trampolines.
func TestArm64(t *testing.T) {
	arm := &compiler{"aarch64-linux-gnu-g++", []string{"qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"}, t.TempDir()}
	if testing.Short() {
		t.Skip("long")
	}
	for _, name := range []string{arm.cxx, arm.runner[0]} {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip("arm64 is not tested: there is no " + name)
		}
	}
	arm.programs(t)
	for _, run := range []struct{ program, argument, want string }{
		{"rotate", "rotates_with_copies", ""},
		{"rotate", "hangs", "for ever"},
		{"rotate", "writes_beyond_memory", "beyond the end"},
		{"rotate-races", "races", "race"},
		{"collectives", "", ""},
		{"driver", "graphs", ""},
		{"rotate-trampolines", "rotates", ""},
	} {
		library := "CAREBOT_LIBCUDA=" + filepath.Join(arm.dir, "libcuda.so")
		text, err := arm.run(run.program, []string{run.argument}, []string{library})
		if (err == nil) != (run.want == "") || !strings.Contains(text, run.want) {
			t.Errorf("%s %s: %v: %s", run.program, run.argument, err, text)
		}
	}
}

// Faults by the variant that must find them, each in every schedule; message is what a report has, and empty where the
// result is just wrong.
var faults = []struct{ kernel, variant, message string }{
	{"lacks_barrier", "", ""},
	{"lacks_barrier", "-races", "race"},
	{"lacks_second_barrier", "", ""},
	{"lacks_second_barrier", "-races", "race"},
	{"lacks_wait", "-races", "a copy_async still brings"},
	{"waits_for_too_few", "-races", "a copy_async still brings"},
	{"diverges", "", "others wait at another one"},
	{"hangs", "", "for ever"},
	{"writes_beyond_memory", "", "0 bytes beyond the end of one of 2048"},
	{"reads_before_memory", "", "touches device memory"},
	{"writes_beyond_dynamic_shared", "", "byte 512 of dynamic shared memory of 512"},
	{"writes_beyond_shared", "", "index 127 is out of the array"},
	{"reads_misaligned", "", "is not on a boundary of 16 bytes"},
	{"shifts_too_far", "", "shift by"},
	{"races", "-races", "which thread"},
	{"lacks_syncwarp", "-races", "kernels.cu:"},
	{"races_between_blocks", "-races", "of another block"},
}

func TestFaultsAreFound(t *testing.T) {
	c := built(t)
	for _, f := range faults {
		for _, schedule := range schedules {
			t.Run(f.kernel+f.variant+"/"+schedule, func(t *testing.T) {
				text, err := c.run("rotate"+f.variant, []string{f.kernel}, []string{"CAREBOT_EMULATOR_SCHEDULE=" + schedule})
				if err == nil {
					t.Fatal("the fault is not found")
				}
				if f.message != "" && (!strings.Contains(text, f.message) || !strings.Contains(text, "emulator: "+f.kernel)) {
					t.Errorf("the report lacks %q: %s", f.message, text)
				}
			})
		}
	}
}

// A copy that is not waited for may be there by chance, which the shuffled schedule tries.
func TestCopiesThatAreNotWaitedForAreLate(t *testing.T) {
	c := built(t)
	for _, kernel := range []string{"lacks_wait", "waits_for_too_few"} {
		for _, schedule := range schedules[:2] {
			if _, err := c.run("rotate", []string{kernel}, []string{"CAREBOT_EMULATOR_SCHEDULE=" + schedule}); err == nil {
				t.Errorf("%s, %s: the fault is not found", kernel, schedule)
			}
		}
	}
}

func TestWholeKernelsPass(t *testing.T) {
	c := built(t)
	whole := []string{
		"rotates", "rotates_twice", "rotates_with_copies", "leaves_early", "reads_vectors", "sets_once", "rotates_in_warps",
	}
	for _, kernel := range whole {
		for _, schedule := range schedules {
			for _, variant := range []string{"", "-races"} {
				text, err := c.run("rotate"+variant, []string{kernel}, []string{"CAREBOT_EMULATOR_SCHEDULE=" + schedule})
				if err != nil {
					t.Errorf("%s%s, %s: %v: %s", kernel, variant, schedule, err, text)
				}
			}
		}
	}
}

func TestCollectives(t *testing.T) {
	c := built(t)
	for _, schedule := range schedules {
		if text, err := c.run("collectives", nil, []string{"CAREBOT_EMULATOR_SCHEDULE=" + schedule}); err != nil {
			t.Errorf("%s: %v: %s", schedule, err, text)
		}
	}
}

func TestDriver(t *testing.T) {
	c := built(t)
	for _, name := range []string{"streams", "events", "copies", "graphs", "spoilt_capture", "errors"} {
		for lazy := range 3 {
			text, err := c.run("driver", []string{name}, []string{fmt.Sprintf("CAREBOT_EMULATOR_LAZY=%d", lazy)})
			if err != nil {
				t.Errorf("%s, laziness %d: %v: %s", name, lazy, err, text)
			}
		}
	}
}

func TestDriverThatTheEnvironmentChanges(t *testing.T) {
	c := built(t)
	for name, environment := range map[string][]string{
		"memory":      {"CAREBOT_EMULATOR_MEMORY=1000000", "CAREBOT_EMULATOR_USED=400000"},
		"lost_device": {"CAREBOT_EMULATOR_FAIL=launch:3"},
		"old_driver":  {"CAREBOT_EMULATOR_VERSION=11080", "CAREBOT_EMULATOR_CAPABILITY=7.5"},
		"no_device":   {"CUDA_VISIBLE_DEVICES="},
	} {
		if text, err := c.run("driver", []string{name}, environment); err != nil {
			t.Errorf("%s: %v: %s", name, err, text)
		}
	}
}

// What is wrong with these shows only when streams are lazy.
func TestLazyStreamsShowWhatIsNotWaitedFor(t *testing.T) {
	c := built(t)
	for name, laziness := range map[string]string{
		"missing_wait": "1", "pinned_buffer_changed_too_early": "1", "upload_too_early": "2",
	} {
		if text, err := c.run("driver", []string{name}, nil); err != nil {
			t.Errorf("%s: %v: %s", name, err, text)
		}
		if _, err := c.run("driver", []string{name}, []string{"CAREBOT_EMULATOR_LAZY=" + laziness}); err == nil {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestFreedMemoryIsGone(t *testing.T) {
	text, err := built(t).run("driver", []string{"use_after_free"}, nil)
	if err == nil || !strings.Contains(text, "not allocated, or not any more") {
		t.Error(text, err)
	}
}

func TestLeaksAreReported(t *testing.T) {
	text, err := built(t).run("driver", []string{"leaks"}, []string{"CAREBOT_EMULATOR_LEAKS=1"})
	if err != nil || !strings.Contains(text, "1 allocations left") || !strings.Contains(text, "2 streams left") {
		t.Error(text, err)
	}
}
