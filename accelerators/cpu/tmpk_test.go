package cpu

import ("testing";"time";"fmt";"os")

func TestTmpKernels(t *testing.T) {
	if os.Getenv("TMPK") == "" { t.Skip() }
	const n = 4096
	f := func() []float32 { x := make([]float32, n); for i := range x { x[i] = float32(i%97)*0.07 - 3 }; return x }
	a, b, c, d, e, h := f(), f(), f(), f(), f(), f()
	fac := factors(adamTest)
	for _, s := range assemblySets() {
		for _, k := range []struct{name string; run func()}{
			{"expSum", func() { copy(a, b); s.expSum(a, 1, 0) }},
			{"copy", func() { copy(a, b) }},
			{"swiglu", func() { s.swiglu(a, b, c) }},
			{"swigluGrad", func() { s.swigluGrad(a, b, c, d, e) }},
			{"gelu", func() { s.gelu(a, b) }},
			{"geluGrad", func() { s.geluGrad(a, b, c) }},
			{"tanh", func() { s.tanh(a, b) }},
			{"tanhGrad", func() { s.tanhGrad(a, b, c) }},
			{"add", func() { s.add(a, b, c) }},
			{"dot", func() { s.dot(a, b) }},
			{"dot64", func() { s.dot64(a, b) }},
			{"scaleMul", func() { s.scaleMul(a, b, c, 1) }},
			{"rmsNormGrad", func() { s.rmsNormGrad(a, b, c, d, e, 1, 0) }},
			{"layerNormGrad", func() { s.layerNormGrad(a, b, c, d, e, h, 1, 0, 0, 0) }},
			{"centredSums", func() { s.centredSums(a, b, c, 0) }},
			{"rotate", func() { s.rotate(a, b, c, d, 1) }},
			{"max", func() { s.max(a) }},
			{"softmaxGrad", func() { s.softmaxGrad(a, b, 0, 1) }},
			{"adamw", func() { s.adamw(a, b, c, d, &fac) }},
		} {
			copy(a, e); copy(b, e); copy(c, e); copy(d,e)
			if k.name == "adamw" { for i := range d { d[i] = 0.3 } }
			best := time.Hour
			for range 60 {
				st := time.Now()
				for range 20 { k.run() }
				best = min(best, time.Since(st))
			}
			fmt.Printf("%s %s %.3f ns\n", s.name, k.name, float64(best.Nanoseconds())/20/n)
		}
	}
}
