package acceltest

import (
	"github.com/carebot-llm/carebot/accelerators"
)

// headNormCases have rows with something behind the heads, which must stay as it was.
var headNormCases = []accelerators.HeadNorm{
	{Tokens: 1, Heads: 1, Dim: 1, Stride: 1},
	{Tokens: 3, Heads: 2, Dim: 17, Stride: 40},
	{Tokens: 65, Heads: 3, Dim: 8, Stride: 24},
	{Tokens: 40, Heads: 9, Dim: 64, Stride: 900},
}

// heads are the elements of x that belong to heads, one head after the other.
func heads(x []float64, s accelerators.HeadNorm) []float64 {
	var all []float64
	for t := range s.Tokens {
		all = append(all, x[t*s.Stride:][:s.Heads*s.Dim]...)
	}
	return all
}

// withHeads is x with other heads.
func withHeads(x, heads []float64, s accelerators.HeadNorm) []float64 {
	all := append([]float64(nil), x...)
	width := s.Heads * s.Dim
	for t := range s.Tokens {
		copy(all[t*s.Stride:][:width], heads[t*width:])
	}
	return all
}

func testHeadNorm(r *rig) {
	for _, s := range headNormCases {
		s.Eps = epsilon
		n := (s.Tokens-1)*s.Stride + s.Heads*s.Dim
		x, w, dy, before := r.normal(n), r.normal(s.Dim), r.normal(n), r.normal(n)
		xb, wb, yb, sb := r.activations(x), r.upload(w), r.activations(before), r.output(s.Tokens*s.Heads)
		r.dev.HeadNorm(yb, sb, xb, wb, s)
		y, rstd := rmsNorm(heads(x, s), w)
		r.expect("y", yb, withHeads(before, y, s), reduced)
		r.expect("rstd", sb, rstd, reduced)

		dw := r.normal(s.Dim)
		dxb, dwb := r.activations(before), r.upload(dw)
		r.dev.HeadNormGrad(dxb, dwb, r.activations(dy), xb, wb, sb, s)
		loss := func() float64 { y, _ := rmsNorm(heads(x, s), w); return dot(y, heads(dy, s)) }
		r.gradient("dw", dwb, dw, w, summed, loss)
		beside := withHeads(before, make([]float64, len(y)), s) // what is no head is not touched
		r.gradient("dx", dxb, beside, x, summed, loss)
		r.reset()
	}
}
