// Package meter measures the kernel calls of another device: when, how long, how many floating-point operations, how
// many bytes.
//
// Operations are those of products, 2 for each multiplication with its addition, as the kernel does them: attention on
// what its mask lets through, heads on the rows with a target, both with what their gradients compute again. Other
// kernels count none. Bytes are those of every operand, once where it is read and once where it is written; workspace
// is no operand.
package meter

import (
	"time"

	"github.com/carebot-llm/carebot/accelerators"
)

// A Device passes every call on to the device within and measures those that do work on it: kernels, copies, fills and
// transfers. A call lasts until it returns, so the device within should be one whose calls return when the work is
// done, as those of the processor do.
type Device struct {
	accelerators.Device
	epoch  time.Time
	calls  []call
	ints   []int32 // the offsets, lengths or targets of the call that begins
	memory memory
}

// An Event is one call. Start counts from New or the last Reset.
type Event struct {
	Op              string // the method's name
	Start, Duration time.Duration
	Flops, Bytes    float64
	Shape           string             // such as "2048x768x3072 nt bf16"
	Compute         accelerators.DType // of products: BF16 when they round to it
}

// A call is an event whose shape is not text yet, so that noting it allocates nothing.
type call struct {
	op              string
	start, duration time.Duration
	work
}

// work is what a call does.
type work struct {
	flops, bytes float64
	shape        shape
	compute      accelerators.DType
}

// firstCalls is how many calls fit without growing: several steps of a large model.
const firstCalls = 1 << 14

// New measures dev. Closing the result closes dev.
func New(dev accelerators.Device) *Device {
	return &Device{
		Device: dev, epoch: time.Now(), calls: make([]call, 0, firstCalls), memory: memory{sizes: map[any]int64{}},
	}
}

// Reset forgets all events and starts the clock again.
func (d *Device) Reset() {
	d.calls = d.calls[:0]
	d.epoch = time.Now()
}

// Elapsed is the time since New or the last Reset, on the clock of the events.
func (d *Device) Elapsed() time.Duration { return time.Since(d.epoch) }

// Events lists the calls since New or the last Reset in their order.
func (d *Device) Events() []Event {
	events := make([]Event, len(d.calls))
	for i, c := range d.calls {
		events[i] = Event{c.op, c.start, c.duration, c.flops, c.bytes, c.shape.String(), c.compute}
	}
	return events
}

// Together is its calls one by one: run as one, none could be measured.
func (d *Device) Together(work func()) { work() }

// note ends a call that began at start.
func (d *Device) note(op string, start time.Duration, w work) {
	d.calls = append(d.calls, call{op, start, d.Elapsed() - start, w})
}

var _ accelerators.Device = (*Device)(nil)
