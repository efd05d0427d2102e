//go:build cuda

package cuda

import (
	"fmt"
	"runtime"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cuda/driver"
)

func init() {
	accelerators.Register("cuda", 1, open)
}

// Device is one GPU with a stream of work. Like every device it is used by one goroutine at a time, on any thread.
type Device struct {
	accelerators.Kernels // those that are not written yet
	index                int
	gpu                  cu.Device
	context              cu.CUContext
	stream               cu.Stream
	name                 string
	major                int // compute capability
	minor                int
	sms                  int // multiprocessors
	modules              map[string]cu.Module
	kernels              map[string]*kernel
	checks               call
	launched             launch
	faults               faults
	scratches            scratches
	err                  error
}

func open(index int) (accelerators.Device, error) {
	n, err := driver.Devices()
	if err != nil {
		return nil, err
	}
	if index >= n {
		return nil, fmt.Errorf("there are %d devices, numbered from 0", n)
	}
	d := &Device{index: index, modules: map[string]cu.Module{}, kernels: map[string]*kernel{}}
	if err := d.begin(); err != nil {
		return nil, err
	}
	return d, nil
}

// begin takes the device's primary context, which libraries of NVIDIA's share, and makes the stream.
func (d *Device) begin() (err error) {
	if d.gpu, err = cu.GetDevice(d.index); err != nil {
		return fmt.Errorf("get the device: %w", err)
	}
	if err := d.inspect(); err != nil {
		return err
	}
	if d.context, err = d.gpu.RetainPrimaryCtx(); err != nil {
		return fmt.Errorf("make a context on %s: %w", d.name, err)
	}
	defer d.enter()()
	if d.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return fmt.Errorf("make a stream on %s: %w", d.name, err)
	}
	return d.faults.begin()
}

func (d *Device) inspect() (err error) {
	if d.name, err = d.gpu.Name(); err != nil {
		return fmt.Errorf("name the device: %w", err)
	}
	for _, a := range []struct {
		attribute cu.DeviceAttribute
		value     *int
	}{{cu.ComputeCapabilityMajor, &d.major}, {cu.ComputeCapabilityMinor, &d.minor}, {cu.MultiprocessorCount, &d.sms}} {
		if *a.value, err = d.gpu.Attribute(a.attribute); err != nil {
			return fmt.Errorf("inspect %s: %w", d.name, err)
		}
	}
	return nil
}

// enter makes the device's context that of this thread, on which the goroutine stays until leave.
func (d *Device) enter() (leave func()) {
	runtime.LockOSThread()
	d.note(cu.SetCurrentContext(d.context), "use the context")
	return runtime.UnlockOSThread
}

// note makes a failed call of the driver the device's error, unless it has one.
func (d *Device) note(err error, attempt string) {
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("%s: %s: %w", d.Name(), attempt, err)
	}
}

// Name is "cuda:" and the device's number.
func (d *Device) Name() string { return fmt.Sprintf("cuda:%d", d.index) }

// Describe names the GPU, its compute capability and the driver's version.
func (d *Device) Describe() string {
	v := driver.Version()
	return fmt.Sprintf("%s, compute capability %d.%d, %d multiprocessors, driver for CUDA %d.%d",
		d.name, d.major, d.minor, d.sms, v/1000, v%1000/10)
}

// HoldsBF16 is true: activations and weights of products may be bfloat16 in memory.
func (d *Device) HoldsBF16() bool { return true }

// Close gives the context back.
func (d *Device) Close() error {
	defer d.enter()()
	err := d.Sync()
	d.faults.end()
	for slot := range d.scratches {
		d.release(slot)
	}
	for _, m := range d.modules {
		d.note(m.Unload(), "unload a module")
	}
	d.note(d.stream.Destroy(), "destroy the stream")
	d.note(d.gpu.ReleasePrimaryCtx(), "release the context")
	if err == nil {
		err = d.err
	}
	return err
}
