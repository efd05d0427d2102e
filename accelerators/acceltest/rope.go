package acceltest

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

func testRoPE(r *rig) {
	for _, s := range []accelerators.RoPE{
		{Heads: 1, Dim: 2, Stride: 2},
		{Heads: 3, Dim: 6, Stride: 18},
		{Heads: 2, Dim: 64, Stride: 200},
		{Heads: 1, Dim: 34, Stride: 40},
	} {
		const tokens, known = 70, 50
		x, positions := r.normal((tokens-1)*s.Stride+s.Heads*s.Dim), r.indices(tokens, known)
		cos, sin := make([]float64, known*s.Dim/2), make([]float64, known*s.Dim/2)
		for i := range cos {
			sin[i], cos[i] = math.Sincos(float64(i/(s.Dim/2)) * math.Pow(10000, -float64(i%(s.Dim/2))/float64(s.Dim/2)))
		}
		xb, cb, sb, pb := r.activations(x), r.upload(cos), r.upload(sin), r.uploadInts(positions)
		r.dev.RoPE(xb, cb, sb, pb, s)
		r.expect("rotated", xb, rotated(x, cos, sin, positions, s), elementwise)
		s.Inverse = true
		r.dev.RoPE(xb, cb, sb, pb, s)
		r.expect("rotated back", xb, x, r.coarse(elementwise))
		r.reset()
	}
}

func rotated(x, cos, sin []float64, positions []int32, s accelerators.RoPE) []float64 {
	y := append([]float64(nil), x...)
	half := s.Dim / 2
	for t, p := range positions {
		for h := range s.Heads {
			at := t*s.Stride + h*s.Dim
			for i := range half {
				c, z := cos[int(p)*half+i], sin[int(p)*half+i]
				y[at+i] = x[at+i]*c - x[at+half+i]*z
				y[at+half+i] = x[at+half+i]*c + x[at+i]*z
			}
		}
	}
	return y
}
