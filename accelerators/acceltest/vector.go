package acceltest

var lengths = []int{1, 3, 17, 64, 65, 1000, 40001}

func testVector(r *rig) {
	for _, n := range lengths {
		a, b := r.normal(n), r.normal(n)
		each := func(f func(x, y float64) float64) []float64 {
			out := make([]float64, n)
			for i := range out {
				out[i] = f(a[i], b[i])
			}
			return out
		}
		x, y, z := r.activations(a), r.activations(b), r.result(n)
		r.dev.Add(z, x, y)
		r.expect("Add", z, each(func(x, y float64) float64 { return x + y }), elementwise)
		r.dev.Mul(z, x, y)
		r.expect("Mul", z, each(func(x, y float64) float64 { return x * y }), elementwise)
		r.dev.Axpy(y, x, -0.75)
		r.expect("Axpy", y, each(func(x, y float64) float64 { return y - 0.75*x }), elementwise)
		r.dev.Scale(x, 3)
		r.expect("Scale", x, each(func(x, _ float64) float64 { return 3 * x }), elementwise)
		r.dev.Add(x, x, x)
		r.expect("Add in place", x, each(func(x, _ float64) float64 { return 6 * x }), elementwise)
		r.reset()
	}
}

func testReductions(r *rig) {
	for _, n := range append([]int{300000}, lengths...) {
		a, b := r.normal(n), r.normal(n)
		for i := range a { // a sum in which float32 would lose its way
			a[i] = float64(float32(a[i] + 100))
		}
		x, y, z := r.upload(a), r.upload(b), r.output(1)
		r.dev.Dot(z, x, y)
		r.expect("Dot", z, []float64{dot(a, b)}, 1e-5)
		r.dev.SquaredNorm(z, x)
		r.expect("SquaredNorm", z, []float64{dot(a, a)}, 1e-7)
		r.reset()
	}
}
