//go:build linux

package cpu

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/carebot-llm/carebot/accelerators"
)

// processorTime is what the process has used of all processors; other processes do not count.
func processorTime(b *testing.B) time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		b.Fatal(err)
	}
	return time.Duration(t.Nano())
}

// BenchmarkMatMulBF16 runs each product in f32 and in bfloat16 by turns on one thread. It reports the best of each in
// billions of operations per second of processor time, and their ratio.
func BenchmarkMatMulBF16(b *testing.B) {
	sets := supportedSets()
	d := newDevice(1, sets[len(sets)-1])
	for _, shape := range [][3]int{
		{512, 512, 512}, {1024, 1024, 1024}, {2048, 2048, 2048}, {2048, 768, 768}, {2048, 3072, 768}, {2048, 768, 3072},
		{2048, 32000, 768}, {2048, 384, 384}, {2048, 8, 768}, {1, 3072, 768}, {8, 3072, 768}, {48, 3072, 768}, {96, 3072, 768},
	} {
		for form, name := range []string{"nn", "tn", "nt"} {
			s := accelerators.MatMul{M: shape[0], N: shape[1], K: shape[2], TransA: form == 1, TransB: form == 2, Alpha: 1}
			b.Run(fmt.Sprintf("%dx%dx%d/%s", s.M, s.N, s.K, name), func(b *testing.B) { compareBF16(b, d, s) })
		}
	}
}

func compareBF16(b *testing.B, d *Device, s accelerators.MatMul) {
	x := buffers(b, d, s.M*s.N, s.M*s.K, s.K*s.N)
	defer func() {
		for _, buffer := range x {
			d.Free(buffer)
		}
	}()
	best := map[accelerators.DType]time.Duration{}
	turn := func() {
		for _, compute := range []accelerators.DType{accelerators.F32, accelerators.BF16} {
			s.Compute = compute
			start := processorTime(b)
			d.MatMul(x[0], x[1], x[2], s)
			took := processorTime(b) - start
			if old, ok := best[compute]; !ok || took < old {
				best[compute] = took
			}
		}
	}
	turn()
	for b.Loop() {
		turn()
	}
	flops := 2 * float64(s.M) * float64(s.N) * float64(s.K)
	b.ReportMetric(flops/float64(best[accelerators.F32].Nanoseconds()), "f32-GFLOP/s")
	b.ReportMetric(flops/float64(best[accelerators.BF16].Nanoseconds()), "bf16-GFLOP/s")
	b.ReportMetric(float64(best[accelerators.F32])/float64(best[accelerators.BF16]), "ratio")
}
