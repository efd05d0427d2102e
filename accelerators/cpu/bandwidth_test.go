package cpu

import (
	"math"
	"testing"
	"time"

	"github.com/carebot-llm/carebot/accelerators"
)

// A triad is a = b + s*c of the STREAM benchmark (McCalpin 1995) with s = 1 and plain stores, as it is compiled by
// default: each thread has one piece of the arrays, and three arrays count, though the processor also reads the lines
// of a before it writes them.
type triad struct {
	set     *kernelSet
	step    int
	a, b, c []float32
}

func (o *triad) block(_, i int) {
	const piece = 32 << 10 // the runtime cannot interrupt assembly
	end := min(len(o.a), (i+1)*o.step)
	for lo := i * o.step; lo < end; lo += piece {
		hi := min(end, lo+piece)
		o.set.add(o.a[lo:hi], o.b[lo:hi], o.c[lo:hi])
	}
}

// passing are operations on arrays of n elements, with how many such arrays one reads and writes.
func passing(b *testing.B, d *Device, n int) []struct {
	name   string
	arrays float64
	run    func()
} {
	const width = 1024
	x := buffers(b, d, 2*n, 2*n, n, n, width, width, width, n/width, n/width, 1)
	wide, wide2, y, z, w, bias, sums, mean, rstd, one := x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9]
	p, q := wide.Slice(0, n), wide.Slice(n, n)
	words, codes := [2]accelerators.Buffer{}, [2]accelerators.Dynamic8{}
	for i := range words {
		words[i] = ints(b, d, make([]int32, n/2)...)
		codes[i] = accelerators.Dynamic8{Codes: words[i].Slice(0, n/4), Scales: alloc(b, d, n/accelerators.Dynamic8Block)}
	}
	step := accelerators.AdamW{LR: 1e-3, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Step: 10}
	return []struct {
		name   string
		arrays float64
		run    func()
	}{
		{"Copy", 2, func() { d.Copy(y, z) }},
		{"Fill", 1, func() { d.Fill(y, 0.01) }},
		{"Scale", 2, func() { d.Scale(y, 1) }},
		{"Add", 3, func() { d.Add(y, z, p) }},
		{"Mul", 3, func() { d.Mul(y, z, p) }},
		{"Axpy", 3, func() { d.Axpy(y, z, 1e-3) }},
		{"SquaredNorm", 1, func() { d.SquaredNorm(one, y) }},
		{"RMSNorm", 2, func() { d.RMSNorm(y, rstd, z, w, width, 1e-5) }},
		{"RMSNormGrad", 4, func() { d.RMSNormGrad(y, sums, z, p, w, rstd, width) }},
		{"LayerNorm", 2, func() { d.LayerNorm(y, mean, rstd, z, w, bias, width, 1e-5) }},
		{"LayerNormGrad", 4, func() { d.LayerNormGrad(y, sums, bias, z, p, w, mean, rstd, width) }},
		{"SwiGLU", 3, func() { d.SwiGLU(y, wide, width) }},
		{"SwiGLUGrad", 5, func() { d.SwiGLUGrad(wide2, y, wide, width) }},
		{"GELU", 2, func() { d.GELU(y, z) }},
		{"GELUGrad", 3, func() { d.GELUGrad(y, z, p) }},
		{"GELUTanh", 2, func() { d.GELUTanh(y, z) }},
		{"GELUTanhGrad", 3, func() { d.GELUTanhGrad(y, z, p) }},
		{"Tanh", 2, func() { d.Tanh(y, z) }},
		{"TanhGrad", 3, func() { d.TanhGrad(y, z, p) }},
		{"BiasGrad", 1, func() { d.BiasGrad(sums, y, width) }},
		{"AdamW", 7, func() { d.AdamW(y, z, p, q, step) }},
		{"AdamWBF16", 5, func() { d.AdamWBF16(y, z, words[0], words[1], step) }},
		{"AdamW8Bit", 4, func() { d.AdamW8Bit(y, z, codes[0], codes[1], step) }},
	}
}

// BenchmarkBandwidth measures operations on arrays of 64 MB each, beyond any cache: the bytes a second that they read
// and write, and the ratio to a triad of the same run. Both are the best of all rounds, as anything else that the
// machine does only makes them slower.
func BenchmarkBandwidth(b *testing.B) {
	const n = 16 << 20
	benchmarkSets(b, func(b *testing.B, d *Device) {
		threads := d.pool.threads
		t := &triad{d.set, (n + threads - 1) / threads, make([]float32, n), make([]float32, n), make([]float32, n)}
		for _, x := range [][]float32{t.a, t.b, t.c} {
			fill(x, 0.01) // memory that nobody wrote to is one page of zeros
		}
		for _, op := range passing(b, d, n) {
			b.Run(op.name, func(b *testing.B) {
				bestOp, bestTriad := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
				for b.Loop() {
					bestOp = min(bestOp, timed(op.run))
					bestTriad = min(bestTriad, timed(func() { d.pool.run(threads, t) }))
				}
				speed := op.arrays * 4 * n / bestOp.Seconds()
				b.ReportMetric(speed/1e9, "GB/s")
				b.ReportMetric(speed/(3*4*n/bestTriad.Seconds()), "of-triad")
			})
		}
	})
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
