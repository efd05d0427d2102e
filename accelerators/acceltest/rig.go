package acceltest

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// A form is the operands that a test gets. Of its guard elements before and after each operand all must stay as they were;
// whether that is a multiple of 16 bytes decides which paths a device takes.
type form struct {
	held  accelerators.DType // of activations
	guard int
}

const (
	odd     = 5
	aligned = 8
)

// sentinel is what the guards hold, exactly in every type.
const sentinel = 193 << 6

// A rig is a device under test with the operands that a case has put on it.
type rig struct {
	t   *testing.T
	dev accelerators.Device
	form
	rand  *rand.Rand
	owned []accelerators.Buffer // whole allocations
}

func newRig(t *testing.T, dev accelerators.Device, f form) *rig {
	h := fnv.New64a()
	h.Write([]byte(t.Name()))
	return &rig{t: t, dev: dev, form: f, rand: rand.New(rand.NewPCG(1, h.Sum64()))}
}

// run is a subtest with operands of its own on the same device.
func (r *rig) run(name string, f func(*rig)) {
	r.t.Run(name, func(t *testing.T) {
		sub := newRig(t, r.dev, r.form)
		f(sub)
		sub.reset()
	})
}

// draws are values from the standard normal distribution that a float32 holds exactly. To draw all operands one by one
// would take as long as many of the tests.
var draws = sync.OnceValue(func() []float64 {
	x, source := make([]float64, 1<<16), rand.New(rand.NewPCG(1, 1))
	for i := range x {
		x[i] = float64(float32(source.NormFloat64()))
	}
	return x
})

// normal is n draws, which the type of activations holds exactly: stretches of them from random places on.
func (r *rig) normal(n int) []float64 {
	x, from := make([]float64, n), draws()
	for done := 0; done < n; {
		done += copy(x[done:], from[r.rand.IntN(len(from)):])
	}
	return r.exact(x)
}

// exact is x, rounded to what the type of activations holds.
func (r *rig) exact(x []float64) []float64 {
	if r.held == accelerators.BF16 {
		return allToBF16(x)
	}
	return x
}

func (r *rig) indices(n, below int) []int32 {
	x := make([]int32, n)
	for i := range x {
		x[i] = r.rand.Int32N(int32(below))
	}
	return x
}

func (r *rig) alloc(t accelerators.DType, n int) accelerators.Buffer {
	r.t.Helper()
	b, err := r.dev.Alloc(t, n+2*r.guard)
	if err != nil {
		r.t.Fatal(err)
	}
	r.owned = append(r.owned, b)
	r.dev.Fill(b, sentinel)
	return b.Slice(r.guard, n)
}

// upload puts values into a window of F32.
func (r *rig) upload(x []float64) accelerators.Buffer { return r.uploadAs(accelerators.F32, x) }

// activations puts values into a window of the type of activations.
func (r *rig) activations(x []float64) accelerators.Buffer { return r.uploadAs(r.held, x) }

func (r *rig) uploadAs(t accelerators.DType, x []float64) accelerators.Buffer {
	b := r.alloc(t, len(x))
	values := make([]float32, len(x))
	for i, v := range x {
		values[i] = float32(v)
	}
	r.dev.UploadF32(b, values)
	return b
}

func (r *rig) uploadInts(x []int32) accelerators.Buffer {
	b := r.alloc(accelerators.I32, len(x))
	r.dev.UploadI32(b, x)
	return b
}

// output is a window of n values of F32 that must be overwritten without being read.
func (r *rig) output(n int) accelerators.Buffer { return r.outputAs(accelerators.F32, n) }

// result is output of the type of activations.
func (r *rig) result(n int) accelerators.Buffer { return r.outputAs(r.held, n) }

func (r *rig) outputAs(t accelerators.DType, n int) accelerators.Buffer {
	b := r.alloc(t, n)
	r.dev.Fill(b, float32(math.NaN()))
	return b
}

func (r *rig) download(b accelerators.Buffer) []float32 {
	r.t.Helper()
	x := make([]float32, b.Len)
	if err := r.dev.DownloadF32(x, b); err != nil {
		r.t.Fatal(err)
	}
	return x
}

func (r *rig) downloadInts(b accelerators.Buffer) []int32 {
	r.t.Helper()
	x := make([]int32, b.Len)
	if err := r.dev.DownloadI32(x, b); err != nil {
		r.t.Fatal(err)
	}
	return x
}

// expect compares a buffer with what it should hold.
func (r *rig) expect(name string, b accelerators.Buffer, want []float64, tolerance float64) {
	r.t.Helper()
	r.compare(name, r.download(b), want, toleranceOf(b, tolerance))
}

// toleranceOf is that of a result which may have been rounded once more, when it was stored.
func toleranceOf(b accelerators.Buffer, tolerance float64) float64 {
	if b.Type == accelerators.BF16 && tolerance != exactly {
		return max(tolerance, stored)
	}
	return tolerance
}

// coarse is the tolerance of what is computed from results that have been rounded, where activations are.
func (r *rig) coarse(exact float64) float64 {
	if r.held == accelerators.BF16 {
		return roundedBefore
	}
	return exact
}

func (r *rig) compare(name string, got []float32, want []float64, tolerance float64) {
	r.t.Helper()
	if len(got) != len(want) {
		r.t.Fatalf("%s has %d elements, want %d", name, len(got), len(want))
	}
	for i, w := range want {
		if g := float64(got[i]); !(math.Abs(g-w) <= tolerance*(1+math.Abs(w))) && g != w {
			r.t.Fatalf("%s[%d] = %v, want %v", name, i, g, w)
		}
	}
}

// differenceStep is the step of central differences; in float64 their error is then about 1e-10.
const differenceStep = 1e-5

// most is how many elements of an operand the gradient is checked at; more are sampled.
const most = 24

// gradient compares a buffer with before plus the derivative of loss by each element of x. loss reads x.
func (r *rig) gradient(name string, b accelerators.Buffer, before, x []float64, tolerance float64,
	loss func() float64) {
	r.t.Helper()
	got := r.download(b)
	if len(got) != len(x) {
		r.t.Fatalf("%s has %d elements, want %d", name, len(got), len(x))
	}
	for _, i := range r.some(len(x)) {
		old := x[i]
		x[i] = old + differenceStep
		up := loss()
		x[i] = old - differenceStep
		down := loss()
		x[i] = old
		want := (up - down) / (2 * differenceStep)
		if before != nil {
			want += before[i]
		}
		r.compare(fmt.Sprintf("%s at %d", name, i), got[i:i+1], []float64{want}, toleranceOf(b, tolerance))
	}
}

// some is all of [0, n), or a sample with both ends.
func (r *rig) some(n int) []int {
	if n <= most {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	}
	sample := []int{0, n - 1}
	for len(sample) < most {
		sample = append(sample, r.rand.IntN(n))
	}
	return sample
}

// reset checks the guards of all operands, frees them, and wants no error.
func (r *rig) reset() {
	r.t.Helper()
	for _, b := range r.owned {
		r.checkGuards(b)
		r.dev.Free(b)
	}
	r.owned = nil
	if err := r.dev.Sync(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) checkGuards(b accelerators.Buffer) {
	r.t.Helper()
	for _, at := range []int{0, b.Len - r.guard} {
		edge := b.Slice(at, r.guard)
		for i := range r.guard {
			var v float64
			if b.Type == accelerators.I32 {
				v = float64(r.downloadInts(edge)[i])
			} else {
				v = float64(r.download(edge)[i])
			}
			if v != sentinel {
				r.t.Fatalf("element %d of an allocation of %d, outside the operand, became %v", at+i, b.Len, v)
			}
		}
	}
}

func (r *rig) close() {
	r.t.Helper()
	r.reset()
	if err := r.dev.Close(); err != nil {
		r.t.Fatal(err)
	}
}

func dot(x, y []float64) float64 {
	s := 0.0
	for i, v := range x {
		s += v * y[i]
	}
	return s
}
