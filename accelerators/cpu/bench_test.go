package cpu

import (
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
