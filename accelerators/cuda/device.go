//go:build cuda

package cuda

import (
	"fmt"
	"os"
	"runtime"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
)

func init() {
	accelerators.Register("cuda", 1, open)
}

// oldest is the oldest compute capability that the kernels are written for; the emulator's is 0.
const oldest = 8

// mostSharedByChoice is CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, for which gorgonia has no name.
const mostSharedByChoice cu.DeviceAttribute = 97

// Device is one GPU with a stream of work. Like every device it is used by one goroutine at a time, on any thread.
type Device struct {
	index      int
	gpu        cu.Device
	context    cu.CUContext
	stream     cu.Stream
	name       string
	major      int // compute capability
	minor      int
	sms        int // multiprocessors
	mostShared int // bytes of shared memory that a block may have
	modules    map[string]cu.Module
	kernels    map[string]*kernel
	variants   map[variant]string     // their names
	held       map[cu.DevicePtr]int64 // memory that is allocated, and its bytes
	buried     []cu.DevicePtr         // of it, what was freed while work that uses it may be under way
	staging    staging
	landings   landings
	faults     faults
	scratches  scratches
	products   products
	checks     call
	arguments  arguments
	unit       unit
	units      []*known // the latest last
	repeated   int      // of them, as graphs
	peak       accelerators.Peak
	err        error
	lost       error // the device will not work again
	told       bool  // that it is lost
}

func open(index int) (accelerators.Device, error) {
	n, err := driver.Devices()
	if err != nil {
		return nil, err
	}
	if index >= n {
		return nil, fmt.Errorf("there are %d devices, numbered from 0%s", n, visible())
	}
	d := &Device{index: index, modules: map[string]cu.Module{}, kernels: map[string]*kernel{},
		variants: map[variant]string{}, held: map[cu.DevicePtr]int64{}}
	if err := d.inspect(); err != nil {
		return nil, err
	}
	if err := d.begin(); err != nil {
		return nil, err
	}
	return d, nil
}

// visible adds what hides devices, if something may.
func visible() string {
	if list, set := os.LookupEnv("CUDA_VISIBLE_DEVICES"); set {
		return fmt.Sprintf(" (CUDA_VISIBLE_DEVICES=%q)", list)
	}
	return ""
}

// inspect finds out what the device is, and whether the kernels are for one like it.
func (d *Device) inspect() (err error) {
	if d.gpu, err = cu.GetDevice(d.index); err != nil {
		return fmt.Errorf("get the device: %w", driver.Of(err))
	}
	if d.name, err = d.gpu.Name(); err != nil {
		return fmt.Errorf("name the device: %w", driver.Of(err))
	}
	for _, a := range []struct {
		attribute cu.DeviceAttribute
		value     *int
	}{{cu.ComputeCapabilityMajor, &d.major}, {cu.ComputeCapabilityMinor, &d.minor}, {cu.MultiprocessorCount, &d.sms},
		{mostSharedByChoice, &d.mostShared}} {
		if *a.value, err = d.gpu.Attribute(a.attribute); err != nil {
			return fmt.Errorf("inspect %s: %w", d.name, driver.Of(err))
		}
	}
	if d.major != 0 && d.major < oldest {
		return fmt.Errorf("%s has compute capability %d.%d, the kernels need %d.0 or later (Ampere): take device: cpu",
			d.name, d.major, d.minor, oldest)
	}
	return nil
}

// begin takes the device's primary context, which libraries of NVIDIA's share, and makes the stream and what transfers
// need. It ends with a kernel, so that a device for which there are none is not opened.
func (d *Device) begin() (err error) {
	if d.context, err = d.gpu.RetainPrimaryCtx(); err != nil {
		return d.unopened("make a context", err)
	}
	defer d.enter()()
	if d.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		err = d.unopened("make a stream", err)
	} else if err = d.beginStaging(); err != nil {
		err = d.unopened("allocate memory for transfers", err)
	} else if err = d.beginFaults(); err != nil {
		err = d.unopened("allocate the word of faults", err)
	} else if _, err = d.function("check", "check_range"); err != nil {
		err = d.unopened("load the kernels", err)
	}
	if err != nil {
		d.end()
	}
	return err
}

func (d *Device) unopened(attempt string, err error) error {
	err = driver.Of(err)
	if err == driver.OutOfMemory {
		return fmt.Errorf("%s on %s: %w; another process holds the device's memory: nvidia-smi shows which",
			attempt, d.name, err)
	}
	return fmt.Errorf("%s on %s: %w", attempt, d.name, err)
}

// enter makes the device's context that of this thread, on which the goroutine stays until leave.
func (d *Device) enter() (leave func()) {
	runtime.LockOSThread()
	d.note(cu.SetCurrentContext(d.context), "use the context")
	return runtime.UnlockOSThread
}

// note makes a failed call of the driver the device's error, unless it has one. After some the device is lost: its
// context does nothing any more, which only another process changes.
func (d *Device) note(err error, attempt string) {
	if err == nil || d.lost != nil {
		return
	}
	err = driver.Of(err)
	if driver.Lost(err) {
		d.lost = fmt.Errorf("%s: %s: device lost: %w; the run goes on from its last checkpoint when it is started "+
			"again (CUDA_LAUNCH_BLOCKING=1 then names the kernel)", d.Name(), attempt, err)
		d.err = d.lost
	} else if d.err == nil {
		d.err = fmt.Errorf("%s: %s: %w", d.Name(), attempt, err)
	}
}

// Name is "cuda:" and the device's number.
func (d *Device) Name() string { return fmt.Sprintf("cuda:%d", d.index) }

// Describe names the GPU, its compute capability and the driver's version.
func (d *Device) Describe() string {
	return fmt.Sprintf("%s, compute capability %d.%d, %d multiprocessors, driver for CUDA %s",
		d.name, d.major, d.minor, d.sms, driver.VersionText())
}

// HoldsBF16 is true: activations and weights of products may be bfloat16 in memory.
func (d *Device) HoldsBF16() bool { return true }

// tell is the device's error, for the caller.
func (d *Device) tell() error {
	d.told = d.lost != nil
	return d.err
}

// Close waits for all work, gives everything back and returns the device's error, but does not say once more that the
// device is lost.
func (d *Device) Close() error {
	defer d.enter()()
	told := d.told
	err := d.Sync()
	d.end()
	switch {
	case told:
		return nil
	case err != nil:
		return err
	}
	return d.err
}

// end gives everything back. The device's context is that of the thread.
func (d *Device) end() {
	for _, k := range d.units {
		d.drop(k)
	}
	d.endProducts()
	d.endStaging()
	d.endLandings()
	d.endFaults()
	for at := range d.held {
		d.give(at)
	}
	for _, m := range d.modules {
		d.note(m.Unload(), "unload a module")
	}
	d.note(d.stream.Destroy(), "destroy the stream")
	d.note(d.gpu.ReleasePrimaryCtx(), "release the context")
}
