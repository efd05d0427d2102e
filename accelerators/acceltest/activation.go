package acceltest

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// gated is act(gate) * up for rows of gate, then up.
func gated(act func(float64) float64, x []float64, inner int) []float64 {
	var y []float64
	for t := 0; t < len(x); t += 2 * inner {
		for f := range inner {
			y = append(y, act(x[t+f])*x[t+inner+f])
		}
	}
	return y
}

func silu(x float64) float64 { return x / (1 + math.Exp(-x)) }

func each(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

func gelu(x float64) float64 { return 0.5 * x * (1 + math.Erf(x/math.Sqrt2)) }

func geluTanh(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

// extremes are arguments at which an exponential over- or underflows.
var extremes = []float64{0, -0.001, 20, -20, 89, -89, 200, -200, 3e4, -3e4}

func testActivations(r *rig) {
	for _, shape := range [][2]int{{1, 1}, {3, 17}, {2, 64}, {17, 65}, {40, 500}} {
		rows, inner := shape[0], shape[1]
		testGated(r, r.normal(2*rows*inner), inner)
		wide := each(r.normal(rows*inner), func(v float64) float64 { return float64(float32(3 * v)) })
		testUnary(r, "GELU", wide, gelu, r.dev.GELU, r.dev.GELUGrad, false)
		testUnary(r, "GELUTanh", wide, geluTanh, r.dev.GELUTanh, r.dev.GELUTanhGrad, false)
		testUnary(r, "Tanh", wide, math.Tanh, r.dev.Tanh, r.dev.TanhGrad, true)
	}
	testUnary(r, "GELU", extremes, gelu, r.dev.GELU, r.dev.GELUGrad, false)
	testUnary(r, "GELUTanh", extremes, geluTanh, r.dev.GELUTanh, r.dev.GELUTanhGrad, false)
	testUnary(r, "Tanh", extremes, math.Tanh, r.dev.Tanh, r.dev.TanhGrad, true)
	testGated(r, append(append([]float64(nil), extremes...), r.normal(len(extremes))...), len(extremes))
}

func testGated(r *rig, x []float64, inner int) {
	x = r.exact(x)
	test := func(name string, act func(float64) float64, op func(y, x accelerators.Buffer, inner int),
		grad func(dx, dy, x accelerators.Buffer, inner int)) {
		dy := r.normal(len(x) / 2)
		xb, yb, dxb := r.activations(x), r.result(len(dy)), r.result(len(x))
		op(yb, xb, inner)
		r.expect(name, yb, gated(act, x, inner), reduced)
		grad(dxb, r.activations(dy), xb, inner)
		r.gradient(name+"Grad", dxb, nil, x, reduced, func() float64 { return dot(gated(act, x, inner), dy) })
		r.reset()
	}
	test("SwiGLU", silu, r.dev.SwiGLU, r.dev.SwiGLUGrad)
	test("GeGLU", geluTanh, r.dev.GeGLU, r.dev.GeGLUGrad)
}

func testUnary(r *rig, name string, x []float64, f func(float64) float64, op func(y, x accelerators.Buffer),
	grad func(dx, dy, x accelerators.Buffer), fromOutput bool) {
	x = r.exact(x)
	dy, tolerance := r.normal(len(x)), reduced
	xb, yb, dxb := r.activations(x), r.result(len(x)), r.result(len(x))
	op(yb, xb)
	r.expect(name, yb, each(x, f), elementwise)
	if fromOutput {
		xb, tolerance = yb, r.coarse(reduced)
	}
	grad(dxb, r.activations(dy), xb)
	r.gradient(name+"Grad", dxb, nil, x, tolerance, func() float64 { return dot(each(x, f), dy) })
	r.reset()
}
