package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// specials are values that kernels trip over. None is large: where terms of 1e30 cancel, sets may differ.
var specials = []float32{0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), float32(math.Inf(-1)),
	float32(math.NaN()), 1e-42, -1e-42, 1e-38, math.SmallestNonzeroFloat32, 1, -1}

// fuzzed is a window of n values, one in rarity of them special, and the memory around it.
func fuzzed(r *rand.Rand, n, offset, rarity int) (window, whole []float32) {
	whole = make([]float32, offset+n+5)
	for i := range whole {
		whole[i] = float32(2 * r.NormFloat64())
		if r.IntN(rarity) == 0 {
			whole[i] = specials[r.IntN(len(specials))]
		}
	}
	return whole[offset : offset+n : offset+n], whole
}

// FuzzRowKernelsAgreeWithPlainGo compares every row kernel of every tested set on windows of any length and place.
func FuzzRowKernelsAgreeWithPlainGo(f *testing.F) {
	for _, n := range []uint8{0, 1, 7, 8, 15, 16, 17, 63, 64, 65, 200} {
		f.Add(uint64(n), n, n%13, uint8(20))
	}
	f.Fuzz(func(t *testing.T, seed uint64, n, offset, rarity uint8) {
		r := rand.New(rand.NewPCG(seed, 1))
		for _, set := range testedAssembly(t) {
			for _, c := range rowCases {
				checkRowCase(t, set, c, r, int(n)%201, int(offset)%16, 1+int(rarity))
			}
		}
	})
}

func checkRowCase(t *testing.T, set *kernelSet, c rowCase, r *rand.Rand, n, offset, rarity int) {
	var want, got, around [][]float32
	for range c.operands {
		window, whole := fuzzed(r, n, offset, rarity)
		want, got, around = append(want, slices.Clone(window)), append(got, window), append(around, whole)
	}
	before := make([][]float32, len(around))
	for i, whole := range around {
		before[i] = slices.Clone(whole)
	}
	result := []float32{c.run(&genericSet, want)}
	near(t, set.name+" "+c.name+"'s result", n, result, []float32{c.run(set, got)})
	bits := func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }
	for i, whole := range around {
		near(t, set.name+" "+c.name, n, want[i], got[i])
		if !slices.EqualFunc(before[i][:offset], whole[:offset], bits) ||
			!slices.EqualFunc(before[i][offset+n:], whole[offset+n:], bits) {
			t.Fatalf("%s %s of %d at %d wrote outside its window", set.name, c.name, n, offset)
		}
	}
}
