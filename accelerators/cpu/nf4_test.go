package cpu

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestUnpackingNF4HasTheBitsOfPlainGo(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, units := range []int{0, 1, 2, 9} {
			codes := make([]int32, units*nf4UnitWords)
			for i := range codes {
				codes[i] = int32(r.Uint32())
			}
			scales := operand(t, r, 2*units)
			want, got := make([]float32, units*nf4Unit), guarded(t, units*nf4Unit)
			unpackNF4Generic(want, codes, scales)
			set.unpackNF4(got, codes, scales)
			if !slices.Equal(got, want) {
				t.Errorf("%d units differ", units)
			}
		}
	})
}
