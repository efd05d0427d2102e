package half

import (
	"math"
	"testing"
)

func TestValuesAreRoundedToTheNearestTiesToEven(t *testing.T) {
	for _, format := range []struct {
		name string
		from func(uint16) float32
		to   func(float32) uint16
		inf  uint16
	}{{"F16", FromF16, ToF16, 0x7c00}, {"BF16", FromBF16, ToBF16, 0x7f80}} {
		for h := range format.inf + 1 {
			v := format.from(h)
			if got := format.to(v); got != h || format.to(-v) != h|0x8000 {
				t.Fatalf("%s %#x is %v and goes back to %#x", format.name, h, v, got)
			}
			if h+1 >= format.inf {
				continue
			}
			middle := float32((float64(v) + float64(format.from(h+1))) / 2)
			if even := h + h&1; format.to(middle) != even || format.to(-middle) != even|0x8000 {
				t.Fatalf("%s: the middle of %#x and the next is rounded to %#x", format.name, h, format.to(middle))
			}
		}
		if h := format.to(float32(math.NaN())); h&0x7fff <= format.inf || format.from(h) == format.from(h) {
			t.Errorf("%s: not a number became one", format.name)
		}
		if format.to(math.MaxFloat32) != format.inf {
			t.Errorf("%s: the largest float32 became %#x", format.name, format.to(math.MaxFloat32))
		}
	}
}

func TestEveryHalfIsWidenedExactly(t *testing.T) {
	for h := range 1 << 16 {
		exponent, fraction := h>>10&31, float64(h&0x3ff)
		want := math.Ldexp(1+fraction/1024, exponent-15)
		switch {
		case exponent == 0:
			want = math.Ldexp(fraction, -24)
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		}
		if h>>15 == 1 {
			want = -want
		}
		got := float64(FromF16(uint16(h)))
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) || math.Signbit(got) != (h>>15 == 1) {
			t.Fatalf("half %04x is %g, want %g", h, got, want)
		}
	}
}
