package meter

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/acceltest"
	"github.com/carebot-llm/carebot/accelerators/acceltest/narrow"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

func open(t testing.TB) *Device {
	t.Helper()
	dev, err := cpu.New(2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	return New(narrow.New(dev))
}

// A kernel that is added to the list must be measured too: an embedded method would do its work unseen.
func TestEveryKernelIsMeasuredAndDoesTheSame(t *testing.T) {
	d := open(t)
	acceltest.Same(t, acceltest.Fingerprint(t, d.Device), acceltest.Fingerprint(t, d))
	seen := map[string]bool{}
	for _, e := range d.Events() {
		seen[e.Op] = true
	}
	kernels := reflect.TypeFor[accelerators.Kernels]()
	for i := range kernels.NumMethod() {
		if name := kernels.Method(i).Name; !seen[name] && name != "Together" { // which is the calls in it
			t.Errorf("%s is not measured", name)
		}
	}
	for _, name := range []string{"UploadF32", "UploadI32", "DownloadF32", "Fill"} {
		if !seen[name] {
			t.Errorf("%s is not measured; seen are %v", name, slices.Sorted(maps.Keys(seen)))
		}
	}
}

// Offsets that are not there are the kernel's to complain about.
func TestMistakesKeepTheirNames(t *testing.T) {
	d := open(t)
	x := alloc(t, d, accelerators.F32, 12)
	for op, mistake := range map[string]func(){
		"Attention": func() {
			d.Attention(x, x, x, x, x, accelerators.Attention{Tokens: 3, Heads: 1, KVHeads: 1, HeadDim: 2, Sequences: 1, Offsets: x})
		},
		"HeadLoss": func() {
			d.HeadLoss(x, x, x, x, accelerators.Buffer{}, x, accelerators.Head{Tokens: 2, Width: 2, Vocab: 2})
		},
	} {
		mistake()
		if err := d.Sync(); err == nil || !strings.Contains(err.Error(), op+" ") {
			t.Errorf("the error %v does not name %s", err, op)
		}
	}
}

// A still device does nothing, or for a while.
type still struct {
	accelerators.Device
	sleep time.Duration
}

func (s still) MatMul(_, _, _ accelerators.Buffer, _ accelerators.MatMul)             { time.Sleep(s.sleep) }
func (s still) Axpy(_, _ accelerators.Buffer, _ float32)                              {}
func (s still) Attention(_, _, _, _, _ accelerators.Buffer, _ accelerators.Attention) {}
func (s still) DownloadI32(dst []int32, src accelerators.Buffer) error {
	copy(dst, src.Mem.([]int32))
	return nil
}

func ints(values ...int32) accelerators.Buffer {
	return accelerators.Buffer{Mem: values, Len: len(values), Type: accelerators.I32}
}

func TestEventsLieWhereTheTimeWent(t *testing.T) {
	const pause = 2 * time.Millisecond
	d := New(still{sleep: pause})
	var none accelerators.Buffer
	for range 3 {
		d.MatMul(none, none, none, accelerators.MatMul{})
	}
	before := time.Duration(0)
	for i, e := range d.Events() {
		if e.Start < before || e.Duration < pause {
			t.Errorf("call %d begins at %v after one that ends at %v, and takes %v", i, e.Start, before, e.Duration)
		}
		before = e.Start + e.Duration
	}
	if end := d.Elapsed(); end < before || before < 3*pause {
		t.Errorf("the calls end at %v, the clock says %v", before, end)
	}
	d.Reset()
	if n := len(d.Events()); n != 0 || d.Elapsed() > before {
		t.Errorf("after a reset there are %d events, and the clock says %v", n, d.Elapsed())
	}
}

func TestMeasuringAllocatesNothing(t *testing.T) {
	d := New(still{})
	var x accelerators.Buffer
	offsets := ints(0, 3, 9)
	step := func() {
		d.MatMul(x, x, x, accelerators.MatMul{M: 3, N: 4, K: 5})
		d.Axpy(x, x, 1)
		d.Attention(x, x, x, x, x, accelerators.Attention{Tokens: 9, Offsets: offsets, Sequences: 2})
	}
	if n := testing.AllocsPerRun(100, step); n != 0 {
		t.Errorf("%v allocations for three calls", n)
	}
}

func TestPeakBytesAreThoseHeldAtOneTime(t *testing.T) {
	d := open(t)
	hold := func(n int) accelerators.Buffer {
		b, err := d.Alloc(accelerators.F32, n)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	a, b := hold(100), hold(50)
	d.Free(b.Slice(10, 5))
	d.Free(accelerators.Buffer{})
	c := hold(30)
	d.Free(a)
	d.Free(c)
	hold(120)
	if d.PeakBytes() != 600 {
		t.Errorf("%d bytes at most, want 600", d.PeakBytes())
	}
}

// A worth is a call and what it is worth.
type worth struct {
	call         func(d *Device)
	shape        string
	flops, bytes float64
}

func TestWorkIsCounted(t *testing.T) {
	d := open(t)
	f := func(n int) accelerators.Buffer { return alloc(t, d, accelerators.F32, n) }
	half := func(n int) accelerators.Buffer { return alloc(t, d, accelerators.BF16, n) }
	i := func(values ...int32) accelerators.Buffer {
		b := alloc(t, d, accelerators.I32, len(values))
		d.UploadI32(b, values)
		return b
	}
	attention := accelerators.Attention{Tokens: 5, Heads: 4, KVHeads: 2, HeadDim: 3, StrideQ: 12, StrideK: 6, StrideV: 6,
		Offsets: i(0, 2, 5), Sequences: 2, MaxLen: 3, Scale: 1, Causal: true} // 3 + 6 pairs
	head := accelerators.Head{Tokens: 3, Width: 4, Vocab: 7}
	targets := i(1, -1, 2)
	for name, w := range map[string]worth{
		"MatMul": {func(d *Device) { d.MatMul(f(6), f(8), f(12), accelerators.MatMul{M: 2, N: 3, K: 4, Alpha: 1}) },
			"2x3x4 nn", 48, 4 * (8 + 12 + 6)},
		"MatMul that adds": {func(d *Device) {
			d.MatMul(f(6), f(8), f(12), accelerators.MatMul{M: 2, N: 3, K: 4, Alpha: 1, Beta: 1, TransA: true, TransB: true})
		}, "2x3x4 tt", 48, 4 * (8 + 12 + 6 + 6)},
		"MatMul in bf16": {func(d *Device) {
			d.MatMul(f(6), f(8), f(12), accelerators.MatMul{M: 2, N: 3, K: 4, Alpha: 1, TransB: true, Compute: accelerators.BF16})
		}, "2x3x4 nt bf16", 48, 4 * (8 + 12 + 6)},
		"Attention": {func(d *Device) { d.Attention(f(60), f(20), f(60), f(30), f(30), attention) },
			"5x4x2x3 causal", 4 * 9 * 12, 4 * (60 + 20 + 60 + 30 + 30)},
		"Attention in bf16": {func(d *Device) {
			s := attention
			s.Compute = accelerators.BF16
			d.Attention(f(60), f(20), f(60), f(30), f(30), s)
		}, "5x4x2x3 causal bf16", 4 * 9 * 12, 4 * (60 + 20 + 60 + 30 + 30)},
		"AttentionGrad": {func(d *Device) {
			d.AttentionGrad(f(60), f(30), f(30), f(60), f(60), f(20), f(60), f(30), f(30), attention)
		}, "5x4x2x3 causal", 10 * 9 * 12, 4 * (60 + 30 + 30 + 60 + 60 + 20 + 60 + 30 + 30)},
		"HeadLoss": {func(d *Device) { d.HeadLoss(f(3), f(3), f(12), f(28), targets, f(7), head) },
			"3x7x4", 2 * 2 * 28, 4 * (8 + 28 + 9)},
		"HeadLearn": {func(d *Device) { d.HeadLearn(f(3), f(12), f(28), f(3), f(12), f(28), targets, f(7), head) },
			"3x7x4", 6 * 2 * 28, 4 * (8 + 12 + 3*28 + 9)},
		"RMSNorm": {func(d *Device) { d.RMSNorm(f(6), f(2), f(6), f(3), 3, 1e-6) }, "2x3", 0, 4 * (6 + 2 + 6 + 3)},
		"HeadNorm": {func(d *Device) {
			d.HeadNorm(f(16), f(4), f(16), f(3), accelerators.HeadNorm{Tokens: 2, Heads: 2, Dim: 3, Stride: 8, Eps: 1})
		}, "2x2x3", 0, 4 * 24},
		"MatMul of bf16": {func(d *Device) {
			s := accelerators.MatMul{M: 2, N: 3, K: 4, Alpha: 1, Compute: accelerators.BF16}
			d.MatMul(f(6), half(8), half(12), s)
		}, "2x3x4 nn bf16", 48, 2*(8+12) + 4*6},
		"Attention of bf16": {func(d *Device) {
			s := attention
			s.Compute = accelerators.BF16
			d.Attention(half(60), f(20), half(60), half(30), half(30), s)
		}, "5x4x2x3 causal bf16", 4 * 9 * 12, 2*(60+60+30+30) + 4*20},
		"HeadLearn of bf16": {func(d *Device) {
			s := head
			s.Compute = accelerators.BF16
			d.HeadLearn(f(3), half(12), f(28), f(3), half(12), half(28), targets, f(7), s)
		}, "3x7x4 bf16", 6 * 2 * 28, 2*(8+12+28) + 4*(2*28+9)},
		"SwiGLU of bf16": {func(d *Device) { d.SwiGLU(half(6), half(12), 3) }, "2x3", 0, 2 * 18},
		"Axpy":           {func(d *Device) { d.Axpy(f(6), f(6), 1) }, "6", 0, 4 * 18},
		"AdamW":          {func(d *Device) { d.AdamW(f(6), f(6), f(6), f(6), accelerators.AdamW{Step: 1}) }, "6", 0, 4 * 42},
		"AdamWBF16": {func(d *Device) {
			d.AdamWBF16(f(6), f(6), i(0, 0, 0), i(0, 0, 0), accelerators.AdamW{Step: 1})
		}, "6", 0, 4*18 + 2*24},
		"AdamW8Bit": {func(d *Device) {
			m := accelerators.Dynamic8{Codes: i(0, 0), Scales: f(1)}
			d.AdamW8Bit(f(6), f(6), m, accelerators.Dynamic8{Codes: i(0, 0), Scales: f(1)}, accelerators.AdamW{Step: 1})
		}, "6", 0, 4*18 + 4*8 + 4*4},
		"EmbedGrad": {func(d *Device) { d.EmbedGrad(f(20), f(6), i(4, 4, 1), 2) },
			"3x2", 0, 4 * (3*6 + 3)},
		"RoPE": {func(d *Device) {
			d.RoPE(f(24), f(6), f(6), i(0, 1, 2), accelerators.RoPE{Heads: 2, Dim: 4, Stride: 8})
		}, "3x2x4", 0, 4 * (48 + 12 + 3)},
		"AttentionDecode": {func(d *Device) {
			d.AttentionDecode(f(8), f(8), f(40), accelerators.AttentionDecode{
				Queries: 2, Heads: 2, KVHeads: 1, HeadDim: 2, Window: 4, Scale: 1, Pages: 2, PageSize: 5, Sequences: 2, Columns: 1,
				Table: i(0, 1), Owners: i(0, 1), Lengths: i(3, 5),
			})
		}, "2x2x1x2", 4 * 7 * 4, 4 * (16 + 2*7*2 + 2*2 + 2)},
	} {
		w.call(d)
		events := d.Events()
		last := events[len(events)-1]
		if got := fmt.Sprintf("%s, %g flops, %g bytes", last.Shape, last.Flops, last.Bytes); got != w.String() {
			t.Errorf("%s: %s, want %s", name, got, w)
		}
	}
	if err := d.Sync(); err != nil {
		t.Error(err)
	}
}

func (w worth) String() string {
	return fmt.Sprintf("%s, %g flops, %g bytes", w.shape, w.flops, w.bytes)
}

func alloc(t *testing.T, d *Device, kind accelerators.DType, n int) accelerators.Buffer {
	t.Helper()
	b, err := d.Alloc(kind, n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVisiblePairsAreThoseOfTheMask(t *testing.T) {
	for _, causal := range []bool{false, true} {
		for n := range 8 {
			for window := range 10 {
				want := 0
				for q := range n {
					for k := range n {
						if (!causal || k <= q) && (window == 0 || k > q-window) {
							want++
						}
					}
				}
				if got := visible(float64(n), float64(window), causal); got != float64(want) {
					t.Errorf("%d tokens, window %d, causal %v: %g pairs, want %d", n, window, causal, got, want)
				}
			}
		}
	}
}
