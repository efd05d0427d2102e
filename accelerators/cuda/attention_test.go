//go:build cuda

package cuda

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// An attentionTrial is an attention operation and its gradient on one device, with operands that begin at a place
// within their allocations and are of a type.
type attentionTrial struct {
	t   *testing.T
	dev *Device
	accelerators.Attention
	kind accelerators.DType
	at   int
}

// attentionTrials cross the tiles of every kernel, on a GPU with much shared memory and on one with little.
var attentionTrials = []struct{ dim, window, shared int }{
	{64, 0, 227 << 10}, {80, 50, 227 << 10}, {128, 0, 227 << 10}, {128, 50, 227 << 10}, {256, 50, 227 << 10},
	{128, 50, 99 << 10}, {256, 0, 99 << 10},
}

// TestAttentionInChunks: operands that come in whole 16 bytes give the bits of those that do not, and nearly the
// results of products in f32.
func TestAttentionInChunks(t *testing.T) {
	for _, c := range attentionTrials {
		t.Run(fmt.Sprintf("dim=%d/window=%d/shared=%d", c.dim, c.window, c.shared), func(t *testing.T) {
			d := opened(t).(*Device)
			d.mostShared = min(d.mostShared, c.shared)
			s := accelerators.Attention{Tokens: 203, Heads: 2, KVHeads: 1, HeadDim: c.dim, Sequences: 2, MaxLen: 133,
				Causal: true, Window: c.window, Scale: float32(1 / math.Sqrt(float64(c.dim))),
				Compute: accelerators.BF16, StrideQ: 2 * c.dim, StrideK: 2 * c.dim, StrideV: c.dim + 8}
			chunks := attentionTrial{t, d, s, accelerators.BF16, 8}.run()
			single := attentionTrial{t, d, s, accelerators.BF16, 3}.run()
			s.Compute = accelerators.F32
			exact := attentionTrial{t, d, s, accelerators.F32, 0}.run()
			for i, name := range []string{"out", "lse", "dq", "dk", "dv"} {
				if !slices.Equal(chunks[i], single[i]) {
					t.Errorf("%s: rows in chunks of 16 bytes have other bits", name)
				}
				nearly(t, name, chunks[i], exact[i])
			}
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func nearly(t *testing.T, name string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if g := got[i]; !(math.Abs(float64(g-w)) <= 0.03*(1+math.Abs(float64(w)))) {
			t.Fatalf("%s[%d] is %v, with products in f32 %v", name, i, g, w)
		}
	}
}

// run is out, lse, dq, dk and dv.
func (a attentionTrial) run() (results [][]float32) {
	a.Offsets = a.alloc(accelerators.I32, 3)
	a.dev.UploadI32(a.Offsets, []int32{0, 70, 203})
	random := rand.New(rand.NewPCG(1, 2))
	var operands []accelerators.Buffer
	sizes := []int{a.StrideQ, a.StrideK, a.StrideV, a.Heads * a.HeadDim}
	for _, width := range sizes {
		x := make([]float32, a.Tokens*width)
		for i := range x {
			x[i] = math.Float32frombits(math.Float32bits(float32(random.NormFloat64())) &^ 0xffff) // as bf16 has it
		}
		operands = append(operands, a.alloc(a.kind, len(x)))
		a.dev.UploadF32(operands[len(operands)-1], x)
	}
	q, k, v, dout := operands[0], operands[1], operands[2], operands[3]
	out, lse := a.alloc(a.kind, dout.Len), a.alloc(accelerators.F32, a.Tokens*a.Heads)
	dq, dk, dv := a.alloc(a.kind, q.Len), a.alloc(a.kind, k.Len), a.alloc(a.kind, v.Len)
	a.dev.Attention(out, lse, q, k, v, a.Attention)
	a.dev.AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v, a.Attention)
	for _, b := range []accelerators.Buffer{out, lse, dq, dk, dv} {
		x := make([]float32, b.Len)
		if err := a.dev.DownloadF32(x, b); err != nil {
			a.t.Fatal(err)
		}
		results = append(results, x)
	}
	return results
}

func (a attentionTrial) alloc(kind accelerators.DType, n int) accelerators.Buffer {
	a.t.Helper()
	b, err := a.dev.Alloc(kind, n+a.at)
	if err != nil {
		a.t.Fatal(err)
	}
	return b.Slice(a.at, n)
}
