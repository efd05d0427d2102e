//go:build cuda

package cuda

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
)

// emulated skips a test that tells the emulator what to do, where there is a real driver or none.
func emulated(t *testing.T) {
	t.Helper()
	if !strings.Contains(os.Getenv("CAREBOT_LIBCUDA"), "emulator") {
		t.Skip("CAREBOT_LIBCUDA names no emulator")
	}
}

func TestADeviceThatWillNotDoIsNotOpened(t *testing.T) {
	emulated(t)
	leakless(t)
	for _, c := range []struct {
		name, variable, value string
		index                 int
		want                  string
	}{
		{"no such number", "CUDA_VISIBLE_DEVICES", "0", 7,
			`there are 1 devices, numbered from 0 (CUDA_VISIBLE_DEVICES="0")`},
		{"an old device", "CAREBOT_EMULATOR_CAPABILITY", "7.5", 0, "compute capability 7.5, the kernels need 8.0"},
		{"no kernels for it", "CAREBOT_EMULATOR_FAIL", "cuModuleLoadData:209", 0, "load the kernels on .*make kernels"},
		{"memory that another process holds", "CAREBOT_EMULATOR_FAIL", "cuDevicePrimaryCtxRetain:2", 0,
			"make a context on .*another process"},
		{"a device that another process holds", "CAREBOT_EMULATOR_FAIL", "cuDevicePrimaryCtxRetain:46", 0,
			"nvidia-smi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv(c.variable, c.value)
			dev, err := open(c.index)
			if err == nil {
				_ = dev.Close()
				t.Fatal("it opened")
			}
			for _, part := range strings.Split(c.want, ".*") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in %q", part, err)
				}
			}
		})
	}
}

// leakless fails a test after which memory is allocated that was not before it. Its own context outlives devices.
func leakless(t *testing.T) {
	t.Helper()
	context, err := cu.Device(0).RetainPrimaryCtx()
	if err != nil {
		t.Fatal(err)
	}
	used := func() int64 {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cu.SetCurrentContext(context); err != nil {
			t.Fatal(err)
		}
		free, total, err := cu.MemInfo()
		if err != nil {
			t.Fatal(err)
		}
		return total - free
	}
	before := used()
	t.Cleanup(func() {
		if left := used() - before; left != 0 {
			t.Errorf("%d bytes are still allocated", left)
		}
		if err := cu.Device(0).ReleasePrimaryCtx(); err != nil {
			t.Error(err)
		}
	})
}

func TestCloseGivesAllMemoryBack(t *testing.T) {
	emulated(t)
	leakless(t)
	d := opened(t).(*Device)
	x := allocated(t, d, 1000)
	d.Free(allocated(t, d, 1000))
	d.UploadF32(x, make([]float32, 1000))
	d.FetchF32(make([]float32, 1000), x)
	d.Peak()
	closed(t, d)
}

func allocated(t *testing.T, d *Device, n int) accelerators.Buffer {
	t.Helper()
	b, err := d.Alloc(accelerators.F32, n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A goroutine may go on on another thread of the system between any two calls.
func TestTheDeviceIsOfNoThread(t *testing.T) {
	d := opened(t).(*Device)
	x := allocated(t, d, 3)
	d.UploadF32(x, []float32{1, 2, 3})
	for range 4 {
		done := make(chan struct{})
		go func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			d.Scale(x, 2)
			close(done)
		}()
		<-done
	}
	got := make([]float32, 3)
	if err := d.DownloadF32(got, x); err != nil || got[2] != 48 {
		t.Error(got, err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestALostDeviceFailsFast(t *testing.T) {
	emulated(t)
	t.Setenv("CAREBOT_EMULATOR_FAIL", "launch:3")
	d := opened(t).(*Device)
	x := allocated(t, d, 3)
	for range 5 {
		d.Scale(x, 2)
	}
	err := d.Sync()
	if err == nil || !strings.Contains(err.Error(), "device lost: ") {
		t.Errorf("Sync says %v", err)
	}
	d.Scale(x, 2)
	if again := d.DownloadF32(make([]float32, 3), x); again != err {
		t.Errorf("a download says %v", again)
	}
	if again := d.Sync(); again != err {
		t.Errorf("Sync then says %v", again)
	}
	if _, again := d.Alloc(accelerators.F32, 1); again == nil || !strings.Contains(again.Error(), "device lost") {
		t.Errorf("Alloc says %v", again)
	}
	if err := d.Close(); err != nil {
		t.Errorf("Close says again %v", err)
	}
}
