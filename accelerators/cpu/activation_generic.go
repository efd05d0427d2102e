package cpu

import "math"

func sigmoid(x float32) float32 { return 1 / (1 + exp(-x)) }

// silu is x*sigmoid(x); at minus infinity it is -0.
func silu(x float32) float32 { return max(x, -math.MaxFloat32) * sigmoid(x) }

func swigluGeneric(y, gate, up []float32) {
	for i, g := range gate[:len(y)] {
		y[i] = silu(g) * up[i]
	}
}

// swigluGradGeneric uses silu' = s (1 + g (1-s)), where s is the sigmoid of g and 1-s that of -g.
func swigluGradGeneric(dgate, dup, dy, gate, up []float32) {
	for i, g := range gate[:len(dgate)] {
		s, d, u := sigmoid(g), dy[i], up[i]
		dup[i] = d * silu(g)
		g = max(-math.MaxFloat32, min(g, math.MaxFloat32))
		dgate[i] = d * u * (s * (1 + g*sigmoid(-g)))
	}
}

// tailEnd is an argument beyond which the tail of the normal distribution counts as 0.
const tailEnd = 20

// geluGeneric takes x times the tail beyond |x| from x, or from 0 where x is negative.
func geluGeneric(y, x []float32) {
	for i, v := range x[:len(y)] {
		z := math.Abs(min(max(float64(v), -tailEnd), tailEnd))
		y[i] = float32(max(float64(v), 0) - z*tail(z))
	}
}

func geluGradGeneric(dx, dy, x []float32) {
	for i, v := range x[:len(dx)] {
		z := math.Abs(min(max(float64(v), -tailEnd), tailEnd))
		grad := tail(z) - z*math.Exp(-z*z/2)/math.Sqrt(2*math.Pi)
		if v > 0 {
			grad = 1 - grad
		}
		dx[i] = dy[i] * float32(grad)
	}
}

// tail is the mass of the standard normal distribution beyond z.
func tail(z float64) float64 { return math.Erfc(z/math.Sqrt2) / 2 }

// The argument of the sigmoid in geluTanh is x (geluLinear + geluCubic x^2).
const (
	geluLinear = 1.5957691216057308 // 2 sqrt(2/pi)
	geluCubic  = geluLinear * 0.044715
)

// geluTanhGeneric uses (1+tanh(u))/2 = sigmoid(2u).
func geluTanhGeneric(y, x []float32) {
	for i, v := range x[:len(y)] {
		z := float64(v)
		s := 1 / (1 + math.Exp(-z*(geluLinear+geluCubic*z*z)))
		y[i] = float32(max(z, -math.MaxFloat32) * s)
	}
}

func geluTanhGradGeneric(dx, dy, x []float32) {
	for i, v := range x[:len(dx)] {
		z := min(max(float64(v), -tailEnd), tailEnd)
		e := math.Exp(-z * (geluLinear + geluCubic*z*z))
		s := 1 / (1 + e)
		dx[i] = dy[i] * float32(s*(1+z*(geluLinear+3*geluCubic*z*z)*(e*s)))
	}
}

func tanhGeneric(y, x []float32) {
	for i, v := range x[:len(y)] {
		y[i] = float32(math.Tanh(float64(v)))
	}
}

func tanhGradGeneric(dx, dy, y []float32) {
	for i, v := range y[:len(dx)] {
		dx[i] = dy[i] * ((1 - v) * (1 + v))
	}
}
