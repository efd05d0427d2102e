package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// An attentionRig is an attention operation with its operands on a device.
type attentionRig struct {
	accelerators.Attention
	d            *Device
	q, k, v, out accelerators.Buffer
	lse, dout    accelerators.Buffer
	dq, dk, dv   accelerators.Buffer
}

func newAttentionRig(b *testing.B, d *Device, sequences, length, heads, kvHeads, dim int) *attentionRig {
	tokens := sequences * length
	s := accelerators.Attention{Tokens: tokens, Heads: heads, KVHeads: kvHeads, HeadDim: dim, Causal: true,
		StrideQ: heads * dim, StrideK: kvHeads * dim, StrideV: kvHeads * dim, Sequences: sequences,
		MaxLen: length, Scale: float32(1 / math.Sqrt(float64(dim)))}
	s.Offsets = offsets(b, d, sequences, length)
	wide, narrow := tokens*heads*dim, tokens*kvHeads*dim
	x := buffers(b, d, wide, narrow, narrow, wide, tokens*heads, wide, wide, narrow, narrow)
	return &attentionRig{s, d, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]}
}

func (r *attentionRig) forward() { r.d.Attention(r.out, r.lse, r.q, r.k, r.v, r.Attention) }

func (r *attentionRig) backward() {
	r.d.AttentionGrad(r.dq, r.dk, r.dv, r.dout, r.out, r.lse, r.q, r.k, r.v, r.Attention)
}

// BenchmarkAttention counts the operations below the diagonal only. "GFLOP/cpu-s" is by processor time, which other
// work on the machine disturbs less.
func BenchmarkAttention(b *testing.B) {
	for _, c := range []struct{ sequences, length, heads, kvHeads, dim int }{
		{1, 256, 12, 12, 64}, {1, 512, 12, 12, 64}, {1, 1024, 12, 12, 64}, {1, 2048, 12, 12, 64}, {1, 4096, 12, 12, 64},
		{1, 16384, 1, 1, 64}, {4, 512, 12, 6, 64}, {1, 2048, 12, 3, 64}, {8, 256, 6, 6, 64}, {16, 64, 12, 12, 64},
		{16, 128, 8, 4, 32}, {1, 2048, 8, 8, 32}, {2, 1024, 6, 6, 128},
	} {
		b.Run(fmt.Sprintf("%dx%d-heads=%d,%d-dim=%d", c.sequences, c.length, c.heads, c.kvHeads, c.dim), func(b *testing.B) {
			benchmarkSets(b, func(b *testing.B, d *Device) {
				r := newAttentionRig(b, d, c.sequences, c.length, c.heads, c.kvHeads, c.dim)
				tokens := float64(c.sequences * c.length)
				half := 2 * tokens * float64(c.length) * float64(c.heads*c.dim)
				b.Run("forward", func(b *testing.B) { measureProcessor(b, d, half, r.forward) })
				b.Run("backward", func(b *testing.B) { measureProcessor(b, d, 2.5*half, r.backward) })
			})
		})
	}
}

// measureProcessor is measure with the best rate by processor time of a single run besides.
func measureProcessor(b *testing.B, d *Device, flops float64, op func()) {
	best := math.Inf(1)
	measure(b, d, flops, func() {
		start := processorSeconds()
		op()
		best = min(best, processorSeconds()-start)
	})
	b.ReportMetric(flops/best/1e9, "GFLOP/cpu-s")
}

func offsets(b *testing.B, d *Device, sequences, length int) accelerators.Buffer {
	buffer, err := d.Alloc(accelerators.I32, sequences+1)
	if err != nil {
		b.Fatal(err)
	}
	values := make([]int32, sequences+1)
	for i := range values {
		values[i] = int32(i * length)
	}
	d.UploadI32(buffer, values)
	return buffer
}

// BenchmarkAttentionDecode measures the bytes of keys and values that pass, in billions per second.
func BenchmarkAttentionDecode(b *testing.B) {
	for _, c := range []struct{ sequences, length, heads, kvHeads, dim int }{
		{1, 8192, 12, 12, 64}, {1, 8192, 12, 3, 64}, {16, 2048, 12, 12, 64}, {16, 2048, 12, 2, 64}, {16, 256, 8, 4, 32},
	} {
		b.Run(fmt.Sprintf("%dx%d-heads=%d,%d-dim=%d", c.sequences, c.length, c.heads, c.kvHeads, c.dim), func(b *testing.B) {
			benchmarkSets(b, func(b *testing.B, d *Device) {
				const size = 32
				s := accelerators.AttentionDecode{Queries: c.sequences, Heads: c.heads, KVHeads: c.kvHeads, HeadDim: c.dim,
					Pages: c.sequences * c.length / size, PageSize: size, Sequences: c.sequences, Columns: c.length / size, Scale: 0.1}
				cache := 2 * c.sequences * c.length * c.kvHeads * c.dim
				x := buffers(b, d, c.sequences*c.heads*c.dim, c.sequences*c.heads*c.dim, cache)
				s.Table, s.Owners = offsets(b, d, s.Pages, 1), offsets(b, d, s.Queries, 1)
				s.Lengths = offsets(b, d, c.sequences, 0)
				d.Fill(s.Lengths, float32(c.length))
				b.SetBytes(int64(4 * cache))
				for b.Loop() {
					d.AttentionDecode(x[0], x[1], x[2], s)
				}
				if err := d.Sync(); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}
