//go:build cuda

package cuda

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/carebot-llm/carebot/accelerators"
)

// small is whole numbers so small that their products' sums are exact in whatever order, on a device and on the host.
func small(t *testing.T, d *Device, kind accelerators.DType, n int) ([]float32, accelerators.Buffer) {
	t.Helper()
	x, random := make([]float32, n), rand.New(rand.NewPCG(1, uint64(n)))
	for i := range x {
		x[i] = float32(random.IntN(7) - 3)
	}
	b, err := d.Alloc(kind, n)
	if err != nil {
		t.Fatal(err)
	}
	d.UploadF32(b, x)
	return x, b
}

// exactProduct compares a product of operands that begin on the boundaries that fast kernels want, where the tests of
// all devices have odd ones.
func exactProduct(t *testing.T, d *Device, s accelerators.MatMul, kind accelerators.DType) {
	t.Helper()
	s.Compute, s.Alpha, s.Beta = kind, 2, -1
	linesA, linesB, widthA, widthB := s.M, s.K, s.K, s.N
	if s.TransA {
		linesA, widthA = s.K, s.M
	}
	if s.TransB {
		linesB, widthB = s.N, s.K
	}
	s.StrideA, s.StrideB, s.StrideC = blocks(widthA, 8)*8, blocks(widthB, 8)*8, blocks(s.N, 8)*8+8
	a, da := small(t, d, kind, linesA*s.StrideA)
	b, db := small(t, d, kind, linesB*s.StrideB)
	c, dc := small(t, d, accelerators.F32, s.M*s.StrideC)
	d.MatMul(dc, da, db, s)
	got := make([]float32, len(c))
	if err := d.DownloadF32(got, dc); err != nil {
		t.Fatal(err)
	}
	for i := range s.M {
		for j := range s.N {
			c[i*s.StrideC+j] = 2*exactElement(s, a, b, i, j) - c[i*s.StrideC+j]
		}
	}
	for i := range c {
		if got[i] != c[i] {
			t.Fatalf("%+v: c[%d,%d] is %v, want %v", s, i/s.StrideC, i%s.StrideC, got[i], c[i])
		}
	}
	for _, x := range []accelerators.Buffer{da, db, dc} {
		d.Free(x)
	}
}

func exactElement(s accelerators.MatMul, a, b []float32, i, j int) float32 {
	var sum float32
	for k := range s.K {
		x, y := i*s.StrideA+k, k*s.StrideB+j
		if s.TransA {
			x = k*s.StrideA + i
		}
		if s.TransB {
			y = j*s.StrideB + k
		}
		sum += a[x] * b[y]
	}
	return sum
}

// TestProductsOnBoundaries runs each of our own kernels for products: large and small tiles, more of them than a patch
// is high, shares of K, ends within a tile and within eight elements.
func TestProductsOnBoundaries(t *testing.T) {
	t.Setenv("CAREBOT_CUBLASLT", "")
	d := opened(t).(*Device)
	defer d.Close()
	for _, kind := range []accelerators.DType{accelerators.F32, accelerators.BF16} {
		for _, shape := range [][3]int{{130, 200, 70}, {60, 70, 1100}, {64, 40, 37}, {1100, 72, 9}} {
			for form := range 4 {
				exactProduct(t, d, accelerators.MatMul{M: shape[0], N: shape[1], K: shape[2], TransA: form&2 != 0,
					TransB: form&1 != 0}, kind)
			}
		}
		for m := 1; m <= mostFew; m++ {
			exactProduct(t, d, accelerators.MatMul{M: m, N: 37, K: 1000 + 8*m, TransB: true}, kind)
		}
	}
	for _, names := range [][4]string{tiledBF16[0], tiledBF16[1], tiledF32[0], tiledF32[1], fewF32, fewBF16} {
		for _, name := range names {
			if d.kernels[name] == nil {
				t.Errorf("%s did not run", name)
			}
		}
	}
}

func ExampleDevice_tiling() {
	d := &Device{sms: 132}
	for _, p := range []product{{m: 16384, n: 4096, k: 4096}, {m: 768, n: 768, k: 16384}, {m: 64, n: 4096, k: 4096}} {
		fmt.Println(d.tiling(p))
	}
	// Output:
	// {128 4096 1 4096}
	// {128 36 7 2368}
	// {64 64 4 1024}
}
