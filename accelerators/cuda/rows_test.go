//go:build cuda

package cuda

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// rowOperations are operations over rows in the sizes of models, which the suite of all devices leaves out: rows
// wider than threads hold, rows in many parts, ids of three digits.
func rowOperations() map[string]func(accelerators.Device, *operands) {
	all := map[string]func(accelerators.Device, *operands){
		"HeadNorm": func(d accelerators.Device, o *operands) {
			s := accelerators.HeadNorm{Tokens: 90, Heads: 5, Dim: 128, Stride: 768, Eps: 1e-5}
			n := 89*s.Stride + 5*128
			d.HeadNorm(o.activations(n), o.floats(450), o.activations(n), o.floats(128), s)
			d.HeadNormGrad(o.activations(n), o.floats(128), o.activations(n), o.activations(n), o.floats(128),
				o.floats(450), s)
		},
		"RoPE": func(d accelerators.Device, o *operands) {
			s := accelerators.RoPE{Heads: 21, Dim: 128, Stride: 2816}
			d.RoPE(o.activations(8*s.Stride), o.floats(50*64), o.floats(50*64), o.ids(8, 50), s)
		},
		"unary": func(d accelerators.Device, o *operands) {
			const n = 3 * 2048
			d.GELU(o.activations(n), o.activations(n))
			d.GELUGrad(o.activations(n), o.activations(n), o.activations(n))
			d.GELUTanh(o.activations(n), o.activations(n))
			d.GELUTanhGrad(o.activations(n), o.activations(n), o.activations(n))
			d.Tanh(o.activations(n), o.activations(n))
			d.TanhGrad(o.activations(n), o.activations(n), o.activations(n))
		},
	}
	for _, s := range [][2]int{{5, 768}, {300, 1024}, {1000, 64}, {3, 4096}, {2, 8256}} {
		all[fmt.Sprintf("norms of %d rows of %d", s[0], s[1])] = func(d accelerators.Device, o *operands) {
			norms(d, o, s[0], s[1])
		}
	}
	for _, inner := range []int{40, 3072} {
		all[fmt.Sprintf("gated of %d", inner)] = func(d accelerators.Device, o *operands) { gates(d, o, inner) }
	}
	for _, s := range [][3]int{{3000, 70000, 8}, {2500, 20, 272}} {
		all[fmt.Sprintf("%d of %d rows of %d", s[0], s[1], s[2])] = func(d accelerators.Device, o *operands) {
			n, rows, width := s[0], s[1], s[2]
			d.Embed(o.activations(n*width), o.floats(rows*width), o.ids(n, rows), width)
			d.EmbedGrad(o.floats(rows*width), o.activations(n*width), o.ids(n, rows), width)
			d.Gather(o.activations(n*width), o.activations(rows*width), o.ids(n, rows), width)
			d.GatherGrad(o.activations(rows*width), o.activations(n*width), o.ids(n, rows), width)
		}
	}
	return all
}

func norms(d accelerators.Device, o *operands, rows, width int) {
	n, w := rows*width, o.floats(width)
	d.RMSNorm(o.activations(n), o.floats(rows), o.activations(n), w, width, 1e-5)
	d.RMSNormGrad(o.activations(n), o.floats(width), o.activations(n), o.activations(n), w, o.floats(rows), width)
	d.LayerNorm(o.activations(n), o.floats(rows), o.floats(rows), o.activations(n), w, o.floats(width), width, 1e-5)
	d.LayerNormGrad(o.activations(n), o.floats(width), o.floats(width), o.activations(n), o.activations(n), w,
		o.floats(rows), o.floats(rows), width)
}

func gates(d accelerators.Device, o *operands, inner int) {
	n := 7 * inner
	d.SwiGLU(o.activations(n), o.activations(2*n), inner)
	d.SwiGLUGrad(o.activations(2*n), o.activations(n), o.activations(2*n), inner)
	d.GeGLU(o.activations(n), o.activations(2*n), inner)
	d.GeGLUGrad(o.activations(2*n), o.activations(n), o.activations(2*n), inner)
}

// operands are windows of random values that bfloat16 has exactly, the same ones whatever their type and place.
type operands struct {
	t      *testing.T
	dev    accelerators.Device
	held   accelerators.DType // of activations
	at     int                // where a window begins, and how much follows it
	random *rand.Rand
	whole  []accelerators.Buffer
}

func (o *operands) window(kind accelerators.DType, n int) accelerators.Buffer {
	o.t.Helper()
	b, err := o.dev.Alloc(kind, n+2*o.at)
	if err != nil {
		o.t.Fatal(err)
	}
	o.whole = append(o.whole, b)
	values := make([]float32, n)
	for i := range values {
		values[i] = math.Float32frombits(math.Float32bits(float32(o.random.NormFloat64())) &^ 0xffff)
	}
	o.dev.UploadF32(b.Slice(o.at, n), values)
	return b.Slice(o.at, n)
}

func (o *operands) activations(n int) accelerators.Buffer { return o.window(o.held, n) }
func (o *operands) floats(n int) accelerators.Buffer      { return o.window(accelerators.F32, n) }

func (o *operands) ids(n, below int) accelerators.Buffer {
	o.t.Helper()
	b, err := o.dev.Alloc(accelerators.I32, n)
	if err != nil {
		o.t.Fatal(err)
	}
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = o.random.Int32N(int32(below))
	}
	o.dev.UploadI32(b, ids)
	return b
}

// after is what all windows hold after an operation; around them there must be zeros still.
func after(t *testing.T, dev accelerators.Device, held accelerators.DType, at int,
	run func(accelerators.Device, *operands)) [][]float32 {
	t.Helper()
	o := &operands{t: t, dev: dev, held: held, at: at, random: rand.New(rand.NewPCG(3, 4))}
	run(dev, o)
	var all [][]float32
	for i, b := range o.whole {
		x := make([]float32, b.Len)
		if err := dev.DownloadF32(x, b); err != nil {
			t.Fatal(err)
		}
		if slices.Max(x[:at]) != 0 || slices.Max(x[len(x)-at:]) != 0 {
			t.Errorf("something was written beside operand %d", i)
		}
		all = append(all, x[at:len(x)-at])
	}
	return all
}

// TestRows: pieces that are whole and those that are not give the same bits, and what the CPU computes in float.
func TestRows(t *testing.T) {
	dev := opened(t)
	defer dev.Close()
	host, err := cpu.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	const odd, even = 3, 8
	operations := rowOperations()
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		run := operations[name]
		t.Run(name, func(t *testing.T) {
			want := after(t, host, accelerators.F32, even, run)
			f32 := after(t, dev, accelerators.F32, even, run)
			near(t, f32, want, 0)
			same(t, after(t, dev, accelerators.F32, odd, run), f32)
			bf16 := after(t, dev, accelerators.BF16, even, run)
			near(t, bf16, want, 1.0/256)
			same(t, after(t, dev, accelerators.BF16, odd, run), bf16)
		})
	}
}

// near allows the rounding of the results besides that of sums.
func near(t *testing.T, got, want [][]float32, rounding float64) {
	t.Helper()
	const summed = 2e-4
	for i := range want {
		for j, w := range want[i] {
			if g, w := float64(got[i][j]), float64(w); !(math.Abs(g-w) <= summed+(summed+rounding)*math.Abs(w)) {
				t.Fatalf("operand %d[%d] = %v, want %v", i, j, g, w)
			}
		}
	}
}

func same(t *testing.T, got, want [][]float32) {
	t.Helper()
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Fatalf("operand %d of %d elements has other bits where its pieces are not whole", i, len(want[i]))
		}
	}
}
