package cpu

import (
	"fmt"
	"math"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// buffers allocates float operands of the given sizes, filled with a number that is not special.
func buffers(b *testing.B, d *Device, sizes ...int) []accelerators.Buffer {
	out := make([]accelerators.Buffer, len(sizes))
	for i, n := range sizes {
		buffer, err := d.Alloc(accelerators.F32, n)
		if err != nil {
			b.Fatal(err)
		}
		d.Fill(buffer, 0.01)
		out[i] = buffer
	}
	return out
}

// measure runs op, of which each run makes flops operations, and reports billions of them per second.
func measure(b *testing.B, d *Device, flops float64, op func()) {
	op()
	for b.Loop() {
		op()
	}
	if err := d.Sync(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// benchmarkSets runs f for each kernel set on one thread and for the best one on two.
func benchmarkSets(b *testing.B, f func(*testing.B, *Device)) {
	sets := supportedSets()
	for _, set := range sets {
		b.Run(set.name+"-1thread", func(b *testing.B) { f(b, newDevice(1, set)) })
	}
	b.Run(sets[len(sets)-1].name+"-2threads", func(b *testing.B) {
		d := newDevice(2, sets[len(sets)-1])
		defer d.Close()
		f(b, d)
	})
}

func BenchmarkAttention(b *testing.B) {
	for _, c := range []struct{ sequences, length, heads, kvHeads, dim int }{
		{8, 256, 6, 6, 64}, {16, 128, 8, 4, 32}, {1, 2048, 12, 4, 64},
	} {
		b.Run(fmt.Sprintf("%dx%d-heads=%d,%d-dim=%d", c.sequences, c.length, c.heads, c.kvHeads, c.dim), func(b *testing.B) {
			benchmarkSets(b, func(b *testing.B, d *Device) {
				tokens := c.sequences * c.length
				s := accelerators.Attention{Tokens: tokens, Heads: c.heads, KVHeads: c.kvHeads, HeadDim: c.dim, Causal: true,
					StrideQ: c.heads * c.dim, StrideK: c.kvHeads * c.dim, StrideV: c.kvHeads * c.dim, Sequences: c.sequences,
					MaxLen: c.length, Scale: float32(1 / math.Sqrt(float64(c.dim)))}
				s.Offsets = offsets(b, d, c.sequences, c.length)
				wide, narrow := tokens*c.heads*c.dim, tokens*c.kvHeads*c.dim
				x := buffers(b, d, wide, narrow, narrow, wide, tokens*c.heads, wide, wide, narrow, narrow)
				q, k, v, out, lse, dout, dq, dk, dv := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8]
				half := 2 * float64(tokens) * float64(c.length) * float64(c.heads*c.dim) // one product below the diagonal: half
				b.Run("forward", func(b *testing.B) {
					measure(b, d, half, func() { d.Attention(out, lse, q, k, v, s) })
				})
				b.Run("backward", func(b *testing.B) {
					measure(b, d, 2.5*half, func() { d.AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v, s) })
				})
			})
		})
	}
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

// BenchmarkRows measures the operations that pass over rows, in billions of elements per second.
func BenchmarkRows(b *testing.B) {
	const rows, width = 2048, 768
	benchmarkSets(b, func(b *testing.B, d *Device) {
		x := buffers(b, d, 2*rows*width, rows*width, rows*width, rows*width, width, rows, width)
		for name, op := range map[string]func(){
			"RMSNorm":     func() { d.RMSNorm(x[1], x[5], x[2], x[4], width, 1e-5) },
			"RMSNormGrad": func() { d.RMSNormGrad(x[1], x[6], x[2], x[3], x[4], x[5], width) },
			"SwiGLU":      func() { d.SwiGLU(x[1], x[0], width) },
			"SwiGLUGrad":  func() { d.SwiGLUGrad(x[0], x[1], x[0], width) },
			"GELU":        func() { d.GELU(x[1], x[2]) },
			"Add":         func() { d.Add(x[1], x[2], x[3]) },
			"SquaredNorm": func() { d.SquaredNorm(x[5], x[1]) },
			"AdamW":       func() { d.AdamW(x[1], x[2], x[3], x[0].Slice(0, rows*width), accelerators.AdamW{Step: 1, Eps: 1}) },
		} {
			b.Run(name, func(b *testing.B) { measure(b, d, rows*width, op) })
		}
	})
}
