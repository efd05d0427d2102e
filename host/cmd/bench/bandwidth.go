package main

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
	"github.com/carebot-llm/carebot/accelerators/cpu"
)

// An arrayKernel is an operation that passes over arrays once. bytes is what it reads and writes for each of the count
// elements, an array that is both counting twice, as STREAM counts.
type arrayKernel struct {
	name  string
	bytes float64
	op    func()
}

const (
	arrayRows  = 16384
	arrayWidth = 1024
	arrayCount = arrayRows * arrayWidth // 64 MiB, beyond the caches
)

// arraySizes are the operands of all kernels: four arrays, one of twice the length; weights, sums of rows, a scalar.
var arraySizes = []int{
	arrayCount, arrayCount, arrayCount, arrayCount, 2 * arrayCount,
	arrayWidth, arrayWidth, arrayRows, 1,
}

func arrayKernels(dev accelerators.Device, x []accelerators.Buffer) []arrayKernel {
	a, b, c, d, double := x[0], x[1], x[2], x[3], x[4]
	w, dw, rstd, one := x[5], x[6], x[7], x[8]
	adam := accelerators.AdamW{LR: 1e-4, Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, Step: 1}
	return []arrayKernel{
		{"Add", 12, func() { dev.Add(a, b, c) }},
		{"Axpy", 12, func() { dev.Axpy(a, b, 1e-3) }},
		{"Scale", 8, func() { dev.Scale(a, 1) }},
		{"RMSNorm", 8, func() { dev.RMSNorm(a, rstd, b, w, arrayWidth, 1e-5) }},
		{"RMSNormGrad", 16, func() { dev.RMSNormGrad(a, dw, b, c, w, rstd, arrayWidth) }},
		{"SwiGLU", 12, func() { dev.SwiGLU(a, double, arrayWidth) }},
		{"SwiGLUGrad", 20, func() { dev.SwiGLUGrad(double, a, double, arrayWidth) }},
		{"GELU", 8, func() { dev.GELU(a, b) }},
		{"GELUGrad", 12, func() { dev.GELUGrad(a, b, c) }},
		{"GELUTanh", 8, func() { dev.GELUTanh(a, b) }},
		{"GELUTanhGrad", 12, func() { dev.GELUTanhGrad(a, b, c) }},
		{"AdamW", 28, func() { dev.AdamW(a, b, c, d, adam) }},
		{"SquaredNorm", 4, func() { dev.SquaredNorm(one, a) }},
	}
}

// bandwidth measures passes over arrays beyond the caches in turns with a triad, a = b + s*c, of PyTorch.
func bandwidth(b *bench) (report, error) {
	torch, err := b.pythonPeer("pytorch.py")
	if err != nil {
		return report{}, err
	}
	dev, err := cpu.New(2)
	if err != nil {
		return report{}, err
	}
	defer dev.Close()
	x, free, err := buffers(dev, arraySizes...)
	defer free()
	if err != nil {
		return report{}, err
	}
	kernels := arrayKernels(dev, x)
	sides := []side{torch.side("triad", request{Op: "triad", N: arrayCount, Threads: 2})}
	for _, k := range kernels {
		sides = append(sides, ours(k.name, func() error { k.op(); return dev.Sync() }))
	}
	all, err := b.hold(contest{sides: sides})
	if err != nil {
		return report{}, err
	}
	return bandwidthReport(kernels, all), torch.forget()
}

// bandwidthReport has the triad first in all, then the kernels.
func bandwidthReport(kernels []arrayKernel, all []series) report {
	const triadBytes = 12
	triad := triadBytes * arrayCount / all[0].best()
	t := table{{"kernel", "GB/s", "of the triad"}, {"triad (PyTorch)", all[0].rate(triadBytes * arrayCount / 1e9), "1"}}
	least, slowest := math.Inf(1), ""
	for i, k := range kernels {
		s := all[i+1]
		share := k.bytes * arrayCount / s.best() / triad
		t.row(k.name, s.rate(k.bytes*arrayCount/1e9), percent(share))
		if share < least {
			least, slowest = share, k.name
		}
	}
	return report{"Bytes read and written once each, arrays of 64 MiB, best (median), 2 threads.\n\n" + t.String(),
		[]figure{{workBandwidth, "minimum " + percent(least) + " (" + slowest + ")", least >= 0.85}}}
}
