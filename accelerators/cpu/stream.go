package cpu

import "unsafe"

// A streamSet has the kernels that only write their destinations, with the same results to the bit but stores past the
// cache. Otherwise the processor reads every line of a destination before it writes it; that is a third of the traffic
// where an operation reads one array and writes one. Destinations begin at addresses that streamAlign divides.
type streamSet struct {
	copy       func(y, x []float32)
	fill       func(x []float32, value float32)
	add, mul   func(z, x, y []float32)
	scaleMul   func(y, x, w []float32, alpha float32)
	layerNorm  func(y, x, w, b []float32, mean, r float32)
	swiglu     func(y, gate, up []float32)
	swigluGrad func(dgate, dup, dy, gate, up []float32)

	gelu, geluTanh, tanh             func(y, x []float32)
	geluGrad, geluTanhGrad, tanhGrad func(dx, dy, x []float32)
}

const streamAlign = 64

// streamFrom is the size in elements from which on a destination would only pass through the cache: 48 MB, more than
// the last-level cache that a few cores share.
const streamFrom = 12 << 20

// streamed returns the set with its streaming kernels in place of the plain ones.
func (s *kernelSet) streamed() *kernelSet {
	if s.stream == nil {
		return s
	}
	c, from := *s, s.stream
	c.copy, c.fill, c.add, c.mul, c.scaleMul = from.copy, from.fill, from.add, from.mul, from.scaleMul
	c.layerNorm, c.swiglu, c.swigluGrad = from.layerNorm, from.swiglu, from.swigluGrad
	c.gelu, c.geluGrad, c.tanh, c.tanhGrad = from.gelu, from.geluGrad, from.tanh, from.tanhGrad
	c.geluTanh, c.geluTanhGrad = from.geluTanh, from.geluTanhGrad
	return &c
}

// setFor is the kernel set for an operation that writes out in pieces whose lengths width divides.
func (d *Device) setFor(out []float32, width int) *kernelSet {
	if len(out) < d.streamFrom || len(out) == 0 || 4*width%streamAlign != 0 {
		return d.set
	}
	if uintptr(unsafe.Pointer(&out[0]))%streamAlign != 0 {
		return d.set
	}
	return d.streaming
}
