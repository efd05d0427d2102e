package gguf

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/half"
)

// A block of Q4_K is 256 values in 8 groups of 32, each with a scale and a minimum of 6 bits:
// value = d * scale * q - dmin * minimum, with q of 4 bits, d and dmin halves.
const (
	groups    = 8
	groupSize = 32
	maxQ      = 15 // of 4 bits
	maxScale  = 63 // of 6 bits
)

func packQ4(dst []byte, src []float32) {
	var scales, minima [groups]float32
	for g := range groups {
		scales[g], minima[g] = fitGroup(src[g*groupSize:][:groupSize])
	}
	d, dmin := slices.Max(scales[:])/maxScale, slices.Max(minima[:])/maxScale
	binary.LittleEndian.PutUint16(dst, half.ToF16(d))
	binary.LittleEndian.PutUint16(dst[2:], half.ToF16(dmin))
	clear(dst[4:])
	for g := range groups {
		putScale(dst[4:16], g, level(scales[g], d, maxScale), level(minima[g], dmin, maxScale))
		packGroup(dst, g, src[g*groupSize:][:groupSize])
	}
}

// packGroup stores the 4-bit values of a group for the scale and minimum that dst has already: two groups share 32
// bytes, the even one in the low halves.
func packGroup(dst []byte, g int, src []float32) {
	scale, minimum := groupScale(dst, g)
	for i, v := range src {
		q := level(v+minimum, scale, maxQ)
		dst[16+g/2*groupSize+i] |= q << (4 * (g % 2))
	}
}

func unpackQ4(dst []float32, src []byte) {
	for g := range groups {
		scale, minimum := groupScale(src, g)
		for i := range groupSize {
			q := src[16+g/2*groupSize+i] >> (4 * (g % 2)) & maxQ
			dst[g*groupSize+i] = scale*float32(q) - minimum
		}
	}
}

// groupScale is the step and the offset of a group: value = step * q - offset.
func groupScale(block []byte, g int) (step, offset float32) {
	scale, minimum := scaleOf(block[4:16], g)
	d, dmin := half.FromF16(binary.LittleEndian.Uint16(block)), half.FromF16(binary.LittleEndian.Uint16(block[2:]))
	return d * float32(scale), dmin * float32(minimum)
}

// scaleOf and putScale read and write the 6-bit pairs: those of groups 0 to 3 lie in the low bits of bytes 0 to 7,
// those of 4 to 7 in bytes 8 to 11 and the two high bits of the others.
func scaleOf(packed []byte, g int) (scale, minimum byte) {
	if g < 4 {
		return packed[g] & maxScale, packed[g+4] & maxScale
	}
	return packed[g+4]&maxQ | packed[g-4]>>6<<4, packed[g+4]>>4 | packed[g]>>6<<4
}

func putScale(packed []byte, g int, scale, minimum byte) {
	if g < 4 {
		packed[g] |= scale
		packed[g+4] |= minimum
		return
	}
	packed[g+4] |= scale&maxQ | minimum<<4
	packed[g-4] |= scale >> 4 << 6
	packed[g] |= minimum >> 4 << 6
}

// level is the nearest whole number of steps in 0..most.
func level(v, step float32, most int) byte {
	if step == 0 {
		return 0
	}
	return byte(min(max(math.Round(float64(v/step)), 0), float64(most)))
}

// fitGroup chooses a scale and a minimum, neither negative, with a small squared error: of 21 scales around that which spans
// the values, each with the offset that fits its levels best.
func fitGroup(src []float32) (scale, minimum float32) {
	low, high := min(slices.Min(src), 0), slices.Max(src)
	if high <= low {
		return 0, -low
	}
	least := math.Inf(1)
	for i := range 21 {
		s, m := refine(src, low, (high-low)/(maxQ-1+0.1*float32(i)))
		if e := groupError(src, s, m); e < least {
			least, scale, minimum = e, s, m
		}
	}
	return scale, minimum
}

// refine rounds the values to levels of a scale and solves for the scale and offset that fit these levels in least
// squares.
func refine(src []float32, low, scale float32) (newScale, minimum float32) {
	var n, q, qq, v, qv float64
	for _, x := range src {
		l := float64(level(x-low, scale, maxQ))
		n, q, qq, v, qv = n+1, q+l, qq+l*l, v+float64(x), qv+l*float64(x)
	}
	det := n*qq - q*q
	if det <= 0 {
		return scale, -low
	}
	s, offset := (n*qv-q*v)/det, (qq*v-q*qv)/det
	if offset > 0 { // the minimum cannot be negative: fit through zero
		s, offset = qv/qq, 0
	}
	if s <= 0 {
		return scale, -low
	}
	return float32(s), float32(-offset)
}

func groupError(src []float32, scale, minimum float32) float64 {
	sum := 0.0
	for _, v := range src {
		d := float64(scale*float32(level(v+minimum, scale, maxQ)) - minimum - v)
		sum += d * d
	}
	return sum
}
