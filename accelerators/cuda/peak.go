//go:build cuda

package cuda

import (
	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
)

// rates are the floating-point operations of a multiprocessor in a cycle, products counted twice: of f32, and of bf16
// with f32 sums in the tensor cores, without sparsity. MHz is the clock at which the data sheet counts, where the
// device says that it may run faster.
type rates struct {
	major, minor int
	f32, bf16    float64
	mhz          int
}

// multiprocessors are by compute capability, the latest first; one that is not here counts as the last before it.
var multiprocessors = []rates{
	{12, 0, 256, 512, 0},
	{10, 0, 256, 8192, 1850},
	{9, 0, 256, 4096, 1830},
	{8, 9, 256, 1024, 0},
	{8, 6, 256, 1024, 0},
	{0, 0, 128, 2048, 0},
}

const (
	copyMost   = 128 << 20 // bytes of the copy that bandwidth is measured by: more than caches hold
	copyLeast  = 1 << 20
	copyRounds = 5
)

// Peak is what data sheets say of products, from the device's multiprocessors and clock, and the bandwidth of a copy
// within its memory, measured when first asked for.
func (d *Device) Peak() accelerators.Peak {
	if d.peak == (accelerators.Peak{}) {
		defer d.enter()()
		r := d.rates()
		cycles := float64(d.sms) * d.hertz(r)
		d.peak = accelerators.Peak{F32: r.f32 * cycles, BF16: r.bf16 * cycles, Bandwidth: d.bandwidth()}
	}
	return d.peak
}

func (d *Device) rates() rates {
	for _, r := range multiprocessors {
		if d.major > r.major || d.major == r.major && d.minor >= r.minor {
			return r
		}
	}
	return rates{}
}

func (d *Device) hertz(r rates) float64 {
	kilohertz, err := d.gpu.Attribute(cu.ClockRate)
	d.note(err, "ask for the clock")
	if r.mhz > 0 {
		kilohertz = min(kilohertz, 1000*r.mhz)
	}
	return 1000 * float64(kilohertz)
}

// bandwidth is the best of some copies, bytes read and written. With little free memory the copy is smaller.
func (d *Device) bandwidth() (best float64) {
	bytes := int64(copyMost)
	memory, err := d.take(bytes)
	for ; err != nil && bytes > copyLeast; memory, err = d.take(bytes) {
		bytes /= 2
	}
	if err != nil {
		d.note(err, "measure the bandwidth")
		return 0
	}
	for range copyRounds {
		if t := d.copyTime(memory, bytes/2); t > 0 {
			best = max(best, float64(bytes)/t)
		}
	}
	d.wait()
	d.give(memory)
	return best
}

// copyTime is how many seconds a copy of bytes takes to what is beside them.
func (d *Device) copyTime(memory cu.DevicePtr, bytes int64) float64 {
	begin, end := d.timer(), d.timer()
	d.note(begin.Record(d.stream), "measure")
	d.note(cu.MemcpyDtoDAsync(memory+cu.DevicePtr(bytes), memory, bytes, d.stream), "measure")
	d.note(end.Record(d.stream), "measure")
	d.note(end.Synchronize(), "measure")
	milliseconds, err := begin.Elapsed(end)
	d.note(err, "measure")
	d.note(cu.DestroyEvent(&begin), "destroy an event")
	d.note(cu.DestroyEvent(&end), "destroy an event")
	return milliseconds / 1000
}

func (d *Device) timer() cu.Event {
	e, err := cu.MakeEvent(cu.DefaultEvent)
	d.note(err, "make an event")
	return e
}
