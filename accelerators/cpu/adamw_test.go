package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

var stepped = adamwFactors{0.5, 0.9, 0.1, 0.95, 0.05, 1.5, 1e-8, 0.01, 0.999}

// stepping are the operands of a step of n weights, each ending at memory that cannot be touched, from one seed.
func stepping(t *testing.T, n int) (param, grad []float32, r *rand.Rand) {
	r = rand.New(rand.NewPCG(uint64(n), 9))
	return operand(t, r, n), operand(t, r, n), r
}

func guardedParts[T uint8 | uint16](t *testing.T, n, words int) []T {
	x := guarded(t, words)
	return parts[T](unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(x))), words))[:n]
}

func TestMomentsInBF16AgreeWithPlainGo(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		for _, n := range []int{16, 48, 800} {
			param, grad, r := stepping(t, n)
			m, v := guardedParts[uint16](t, n, n/2), guardedParts[uint16](t, n, n/2)
			for i := range m {
				m[i], v[i] = stochastic(float32(r.NormFloat64()), 0), stochastic(r.Float32(), 0)
			}
			wantParam, wantM, wantV := clone(t, param), append([]uint16(nil), m...), append([]uint16(nil), v...)
			set.adamwBF16(param, grad, m, v, &stepped, 12345)
			adamwBF16Generic(wantParam, grad, wantM, wantV, &stepped, 12345)
			near(t, "weights", n, wantParam, param)
			for i := range m {
				if apart(m[i], wantM[i]) > 1 || apart(v[i], wantV[i]) > 1 {
					t.Fatalf("moments %d of %d are %x and %x, want %x and %x", i, n, m[i], v[i], wantM[i], wantV[i])
				}
			}
		}
	})
}

func apart(x, y uint16) int { return max(int(x), int(y)) - min(int(x), int(y)) }

// Sizes of gradients that make scales of all magnitudes, the last without a float32 reciprocal.
var gradientSizes = []float64{1, 1e-12, 1e12, 0, 1e-38}

func TestMomentsInCodesAgreeWithPlainGo(t *testing.T) {
	assembly(t, func(t *testing.T, set *kernelSet) {
		for _, size := range gradientSizes {
			const n = 3 * dynamic8Block
			param, grad, r := stepping(t, n)
			for i := range grad {
				grad[i] *= float32(size * math.Pow(10, -6*r.Float64()))
			}
			got, want := newCodes(t, n), newCodes(t, n)
			wantParam, work := clone(t, param), guarded(t, 2*dynamic8Block)
			for range 3 {
				set.adamw8(param, grad, got.m, got.v, got.mScales, got.vScales, &stepped, work)
				adamw8Generic(wantParam, grad, want.m, want.v, want.mScales, want.vScales, &stepped, work)
			}
			near(t, "weights", n, wantParam, param)
			for b := range want.mScales {
				sameScale(t, got.mScales[b], want.mScales[b])
				sameScale(t, got.vScales[b], want.vScales[b])
			}
			for i := range n {
				if apart(uint16(got.m[i]), uint16(want.m[i])) > 1 || apart(uint16(got.v[i]), uint16(want.v[i])) > 1 {
					t.Fatalf("gradients of %g: codes %d are %d and %d, want %d and %d", size, i, got.m[i], got.v[i],
						want.m[i], want.v[i])
				}
			}
		}
	})
}

func sameScale(t *testing.T, got, want float32) {
	t.Helper()
	if math.Abs(float64(got-want)) > 1e-5*float64(want)+1e-42 {
		t.Fatalf("a scale is %g, want %g", got, want)
	}
}

type codes struct {
	m, v             []byte
	mScales, vScales []float32
}

func newCodes(t *testing.T, n int) codes {
	return codes{guardedParts[uint8](t, n, n/4), guardedParts[uint8](t, n, n/4), guarded(t, n/dynamic8Block),
		guarded(t, n/dynamic8Block)}
}
