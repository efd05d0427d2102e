package cpu

import "math"

func prefetchGeneric([]float32) {}

func dotGeneric(x, y []float32) float32 {
	var s0, s1, s2, s3 float32
	y = y[:len(x)]
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += x[i] * y[i]
		s1 += x[i+1] * y[i+1]
		s2 += x[i+2] * y[i+2]
		s3 += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		s0 += x[i] * y[i]
	}
	return (s0 + s1) + (s2 + s3)
}

func dot64Generic(x, y []float32) float64 {
	var s0, s1, s2, s3 float64
	y = y[:len(x)]
	i := 0
	for ; i+4 <= len(x); i += 4 {
		s0 += float64(x[i]) * float64(y[i])
		s1 += float64(x[i+1]) * float64(y[i+1])
		s2 += float64(x[i+2]) * float64(y[i+2])
		s3 += float64(x[i+3]) * float64(y[i+3])
	}
	for ; i < len(x); i++ {
		s0 += float64(x[i]) * float64(y[i])
	}
	return (s0 + s1) + (s2 + s3)
}

func dot3Generic(x, y, z []float32) float32 {
	sum := 0.0
	for i, v := range x {
		sum += float64(v * y[i] * z[i])
	}
	return float32(sum)
}

func addGeneric(z, x, y []float32) {
	for i := range z {
		z[i] = x[i] + y[i]
	}
}

func mulGeneric(z, x, y []float32) {
	for i := range z {
		z[i] = x[i] * y[i]
	}
}

func copyGeneric(y, x []float32) { copy(y, x) }

func scaleMulGeneric(y, x, w []float32, alpha float32) {
	for i, v := range x[:len(y)] {
		y[i] = v * alpha * w[i]
	}
}

func rmsNormGradGeneric(dx, dw, dy, x, w []float32, r, mean float32) {
	for i, v := range x[:len(dx)] {
		h := v * r
		dx[i] += r * (dy[i]*w[i] - h*mean)
		dw[i] += dy[i] * h
	}
}

func sumGeneric(x []float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v)
	}
	return float32(sum)
}

func squaresGeneric(x []float32, mean float32) float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64((v - mean) * (v - mean))
	}
	return float32(sum)
}

func centredSumsGeneric(x, y, z []float32, mean float32) (sum, inner float32) {
	s, in := 0.0, 0.0
	for i, v := range x {
		g := y[i] * z[i]
		s += float64(g)
		in += float64((v - mean) * g)
	}
	return float32(s), float32(in)
}

func layerNormGeneric(y, x, w, b []float32, mean, r float32) {
	for i, v := range x[:len(y)] {
		y[i] = (v-mean)*r*w[i] + b[i]
	}
}

func layerNormGradGeneric(dx, dw, db, dy, x, w []float32, mean, r, sum, inner float32) {
	for i, v := range x[:len(dx)] {
		h := (v - mean) * r
		dx[i] += r * (dy[i]*w[i] - sum - h*inner)
		dw[i] += dy[i] * h
		db[i] += dy[i]
	}
}

func rotateGeneric(low, high, cos, sin []float32, sign float32) {
	for i, a := range low {
		b, c, s := high[i], cos[i], sign*sin[i]
		low[i], high[i] = a*c-b*s, b*c+a*s
	}
}

func axpyGeneric(y, x []float32, alpha float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += alpha * x[i]
	}
}

func scaleGeneric(x []float32, alpha float32) {
	for i := range x {
		x[i] *= alpha
	}
}

func maxGeneric(x []float32) float32 {
	m := float32(math.Inf(-1))
	for _, v := range x {
		if v > m {
			m = v
		}
	}
	return m
}

func expSumGeneric(x []float32, scale, shift float32) float32 {
	sum := 0.0
	for i, v := range x {
		x[i] = exp(float32(scale*v) - shift)
		sum += float64(x[i])
	}
	return float32(sum)
}

func softmaxGradGeneric(d, p []float32, mean, scale float32) {
	p = p[:len(d)]
	for i, v := range d {
		d[i] = p[i] * scale * (v - mean)
	}
}
