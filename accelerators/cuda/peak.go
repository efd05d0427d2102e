//go:build cuda

package cuda

import (
	"slices"
	"strings"

	"gorgonia.org/cu"

	"github.com/carebot-llm/carebot/accelerators"
)

// rates are the floating-point operations of a multiprocessor in a cycle, products counted twice: of f32, and of bf16
// with f32 sums in the tensor cores, without sparsity. MHz is the clock at which the data sheet counts tensor cores,
// where the device says that it may run faster.
type rates struct {
	major, minor int
	f32, bf16    float64
	mhz          float64
}

// multiprocessors are by compute capability, the latest first; one that is not here counts as the last before it.
var multiprocessors = []rates{
	{12, 0, 256, 1024, 0},
	{10, 0, 256, 8192, 1850},
	{9, 0, 256, 4096, 1830},
	{8, 6, 256, 1024, 0},
	{0, 0, 128, 2048, 0},
}

// slower are the MHz of cards that get less power than others with the same chip.
var slower = map[string]float64{"H100 PCIe": 1620, "H100 NVL": 1545, "H200 NVL": 1545}

// halved reports whether a card's tensor cores add up in f32 at half the chip's rate.
func halved(card string) bool { return strings.Contains(card, "GeForce") || card == "NVIDIA L40" }

const (
	copyMost   = 512 << 20 // bytes that the copy reads and writes: several times what caches hold
	copyLeast  = 1 << 20
	copyRounds = 5
)

// Peak is what data sheets say of products, from the device's multiprocessors and clock, and the bandwidth of a copy
// within its memory, measured when first asked for.
func (d *Device) Peak() accelerators.Peak {
	if d.peak == (accelerators.Peak{}) {
		defer d.enter()()
		kilohertz, err := d.gpu.Attribute(cu.ClockRate)
		d.note(err, "ask for the clock")
		f32, bf16 := ratesOf(d.major, d.minor).peak(d.name, d.sms, float64(kilohertz)/1000)
		d.peak = accelerators.Peak{F32: f32, BF16: bf16, Bandwidth: d.bandwidth()}
	}
	return d.peak
}

func ratesOf(major, minor int) rates {
	i := slices.IndexFunc(multiprocessors, func(r rates) bool {
		return major > r.major || major == r.major && minor >= r.minor
	})
	return multiprocessors[i]
}

// peak is of a card with so many multiprocessors at a clock of so many MHz.
func (r rates) peak(card string, multiprocessors int, mhz float64) (f32, bf16 float64) {
	tensor := mhz
	if r.mhz > 0 {
		tensor = min(tensor, r.mhz)
	}
	for name, most := range slower {
		if strings.Contains(card, name) {
			tensor = min(tensor, most)
		}
	}
	if halved(card) {
		tensor /= 2
	}
	all := 1e6 * float64(multiprocessors)
	return r.f32 * all * mhz, r.bf16 * all * tensor
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
