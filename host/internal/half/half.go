// Package half converts between float32 and the two formats of 16 bits: IEEE 754 half precision (F16: 1 sign bit, 5
// exponent bits of bias 15, 10 fraction bits) and bfloat16 (BF16: the upper half of a float32).
package half

import "math"

// ToF16 rounds to the nearest, ties to even; what is too large becomes infinite.
func ToF16(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, rest := uint16(bits>>16&0x8000), bits&0x7fffffff
	switch {
	case rest > 0x7f800000: // not a number
		return sign | 0x7e00
	case rest >= 0x47800000: // 2^16
		return sign | 0x7c00
	case rest < 0x38800000: // below 2^-14: a multiple of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(rest))*(1<<24)))
	}
	rest -= (127 - 15) << 23
	return sign | uint16((rest+0xfff+rest>>13&1)>>13)
}

// FromF16 widens.
func FromF16(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10)&31, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero or subnormal: units of 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*(1.0/(1<<24))))
	case 31: // infinity or not a number
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}

// ToBF16 rounds to the nearest, ties to even; not a number stays one.
func ToBF16(v float32) uint16 {
	bits := math.Float32bits(v)
	if v != v {
		return uint16(bits>>16) | 0x40
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// FromBF16 widens.
func FromBF16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }
