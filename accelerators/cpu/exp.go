package cpu

import "math"

const (
	log2e   = 1.44269504088896341
	ln2High = 0.693145751953125 // 16 bits of ln 2: products with an exponent are exact
	ln2Low  = 1.42860682030941723e-6
	rounder = 3 << 22   // added and taken away, it rounds a float32 to an integer
	expMin  = -87.33654 // below it the result is denormal and counts as 0
	expMax  = 88.72283
)

// exp is e^x within 2 units in the last place: x = n ln 2 + r, a polynomial for e^r, and n put into the exponent. A
// result that would be denormal is 0; the exponentials of the infinities are 0 and infinity, that of a NaN is a NaN.
func exp(x float32) float32 {
	if x != x {
		return x
	}
	if x < expMin {
		return 0
	}
	if x > expMax {
		return float32(math.Inf(1))
	}
	n := float32(float32(x*log2e)+rounder) - rounder
	r := x - n*ln2High - n*ln2Low
	p := float32(0.00138131448) // the polynomial with the least relative error, 4e-9
	p = p*r + 0.00836941879
	p = p*r + 0.041668456
	p = p*r + 0.166665152
	p = p*r + 0.49999994
	p = p*r + 1
	p = p*r + 1
	half := int32(n) >> 1 // in two steps, as 2^128 has no float
	return p * pow2(half) * pow2(int32(n)-half)
}

func pow2(n int32) float32 { return math.Float32frombits(uint32(n+127) << 23) }
