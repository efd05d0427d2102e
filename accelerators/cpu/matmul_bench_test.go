//go:build unix

package cpu

import (
	"fmt"
	"math"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carebot-llm/carebot/accelerators"
)

// transformerShapes are the products that a Llama-class model of 134M parameters is made of, and squares.
var transformerShapes = []accelerators.MatMul{
	{M: 512, N: 512, K: 64, TransB: true},
	{M: 512, N: 64, K: 512},
	{M: 512, N: 512, K: 512},
	{M: 1024, N: 1024, K: 1024},
	{M: 2048, N: 2048, K: 2048},
	{M: 2048, N: 2048, K: 2048, TransB: true},
	{M: 2048, N: 3072, K: 768},
	{M: 2048, N: 3072, K: 768, TransB: true},
	{M: 2048, N: 768, K: 3072},
	{M: 2048, N: 768, K: 3072, TransB: true},
	{M: 2048, N: 768, K: 768, TransB: true},
	{M: 2048, N: 32000, K: 768},
	{M: 2048, N: 32000, K: 768, TransB: true},
	{M: 1024, N: 1024, K: 1024, TransA: true},
	{M: 3072, N: 768, K: 2048, TransA: true},
	{M: 768, N: 3072, K: 2048, TransA: true},
	{M: 32000, N: 768, K: 512, TransA: true},
}

// smallShapes are the products of a tiny model: forward, gradient of the input, gradient of the weight.
var smallShapes = []accelerators.MatMul{
	{M: 1024, N: 384, K: 128, TransB: true},
	{M: 1024, N: 128, K: 384},
	{M: 384, N: 128, K: 1024, TransA: true},
	{M: 128, N: 512, K: 128, TransB: true},
	{M: 64, N: 64, K: 64},
}

// fewShapes are the products of few tokens, and those of a model of 17M parameters.
var fewShapes = []accelerators.MatMul{
	{M: 256, N: 2304, K: 768, TransB: true},
	{M: 256, N: 768, K: 3072},
	{M: 768, N: 768, K: 256, TransA: true},
	{M: 256, N: 50304, K: 768, TransB: true},
	{M: 256, N: 768, K: 50304},
	{M: 50304, N: 768, K: 256, TransA: true},
	{M: 2048, N: 1024, K: 384, TransB: true},
	{M: 2048, N: 384, K: 1024},
	{M: 384, N: 1024, K: 2048, TransA: true},
	{M: 2048, N: 8192, K: 384, TransB: true},
}

// thinShapes are those of generation: a row for each sequence.
var thinShapes = []accelerators.MatMul{
	{M: 1, N: 3072, K: 768, TransB: true},
	{M: 1, N: 32000, K: 768, TransB: true},
	{M: 4, N: 32000, K: 768, TransB: true},
	{M: 8, N: 32000, K: 768, TransB: true},
	{M: 16, N: 32000, K: 768, TransB: true},
	{M: 32, N: 32000, K: 768, TransB: true},
	{M: 16, N: 3072, K: 768, TransB: true},
}

func BenchmarkMatMul(b *testing.B)      { benchmarkProducts(b, transformerShapes) }
func BenchmarkMatMulSmall(b *testing.B) { benchmarkProducts(b, smallShapes) }
func BenchmarkMatMulFew(b *testing.B)   { benchmarkProducts(b, fewShapes) }
func BenchmarkMatMulThin(b *testing.B)  { benchmarkProducts(b, thinShapes) }

func benchmarkProducts(b *testing.B, shapes []accelerators.MatMul) {
	for _, s := range shapes {
		s.Alpha = 1
		b.Run(fmt.Sprintf("%dx%dx%d-%s", s.M, s.N, s.K, form(s)), func(b *testing.B) {
			benchmarkSets(b, func(b *testing.B, d *Device) { benchmarkProduct(b, d, s) })
		})
	}
}

// benchmarkProduct reports billions of floating-point operations and bytes of B per second, in the best run.
func benchmarkProduct(b *testing.B, d *Device, s accelerators.MatMul) {
	x := buffers(b, d, s.M*s.N, s.M*s.K, s.K*s.N)
	flops := 2 * float64(s.M) * float64(s.N) * float64(s.K)
	repeat := 1 + int(1e8/flops)
	best := time.Duration(math.MaxInt64)
	op := func() {
		start := clock(d)
		for range repeat {
			d.MatMul(x[0], x[1], x[2], s)
		}
		best = min(best, clock(d)-start)
	}
	op()
	for b.Loop() {
		op()
	}
	if err := d.Sync(); err != nil {
		b.Fatal(err)
	}
	seconds := best.Seconds() / float64(repeat)
	b.ReportMetric(flops/seconds/1e9, "GFLOP/s")
	b.ReportMetric(4*float64(s.N)*float64(s.K)/seconds/1e9, "GB/s")
}

var epoch = time.Now()

// clock is the processor time of a device with one thread: the time of the wall would also count what else the
// machine does. Of threads that are running, the system counts late, so those of several are the wall's.
func clock(d *Device) time.Duration {
	if d.pool.threads > 1 {
		return time.Since(epoch)
	}
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// form is the usual shorthand for which operands are transposed.
func form(s accelerators.MatMul) string {
	letters := map[bool]string{false: "n", true: "t"}
	return letters[s.TransA] + letters[s.TransB]
}
