//go:build cuda

package cuda

import (
	"math/rand/v2"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// A benchRig is a device with operands of random numbers, since products of constants draw less power than real ones.
type benchRig struct {
	*testing.B
	accelerators.Device
	noise []float32
	taken []accelerators.Buffer
}

func newBenchRig(b *testing.B) *benchRig {
	r := &benchRig{B: b, Device: opened(b), noise: make([]float32, 1<<20)}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range r.noise {
		r.noise[i] = float32(random.NormFloat64())
	}
	b.Cleanup(func() {
		if err := r.Close(); err != nil {
			b.Error(err)
		}
	})
	return r
}

// emulated reports whether the device is the emulator, where nothing is measured.
func (r *benchRig) emulated() bool { return r.Device.(*Device).major == 0 }

// size is n, or little in the emulator.
func (r *benchRig) size(n int) int {
	if r.emulated() {
		return min(n, 64)
	}
	return n
}

func (r *benchRig) alloc(t accelerators.DType, n int) accelerators.Buffer {
	x, err := r.Alloc(t, n)
	if err != nil {
		r.Fatal(err)
	}
	r.taken = append(r.taken, x)
	return x
}

func (r *benchRig) random(t accelerators.DType, n int) accelerators.Buffer {
	x := r.alloc(t, n)
	for from := 0; from < n; from += len(r.noise) {
		block := r.noise[:min(len(r.noise), n-from)]
		r.UploadF32(x.Slice(from, len(block)), block)
	}
	return x
}

func (r *benchRig) bf16(sizes ...int) []accelerators.Buffer {
	all := make([]accelerators.Buffer, len(sizes))
	for i, n := range sizes {
		all[i] = r.random(accelerators.BF16, n)
	}
	return all
}

func (r *benchRig) integers(values ...int32) accelerators.Buffer {
	x := r.alloc(accelerators.I32, len(values))
	r.UploadI32(x, values)
	return x
}

// rate reports how many of a unit an operation does in a second, each run of it work of them, and what share that is of
// the most there can be, where that is known. Runs are queued ten at a time, so that the wait for the last is a small
// part.
func (r *benchRig) rate(name string, work float64, unit string, most float64, share string, op func()) {
	queued := 10
	if r.emulated() {
		queued = 1
	}
	r.Run(name, func(b *testing.B) {
		op()
		r.sync(b)
		for b.Loop() {
			for range queued {
				op()
			}
			r.sync(b)
		}
		rate := work * float64(queued*b.N) / b.Elapsed().Seconds()
		b.ReportMetric(rate, unit)
		if most > 0 {
			b.ReportMetric(100*rate/most, share)
		}
	})
}

func (r *benchRig) sync(b *testing.B) {
	if err := r.Sync(); err != nil {
		b.Fatal(err)
	}
}

// bandwidth is rate for what moves bytes, in GB/s and as a share of what a copy moves.
func (r *benchRig) bandwidth(name string, bytes int, op func()) {
	r.rate(name, float64(bytes)/1e9, "GB/s", r.Peak().Bandwidth/1e9, "%copy", op)
}

// products is rate for floating-point operations, in TFLOP/s and as a share of the peak in bf16.
func (r *benchRig) products(name string, operations float64, op func()) {
	r.rate(name, operations/1e12, "TFLOP/s", r.Peak().BF16/1e12, "%peak", op)
}

// release frees all operands.
func (r *benchRig) release() {
	for _, x := range r.taken {
		r.Free(x)
	}
	r.taken = nil
}
