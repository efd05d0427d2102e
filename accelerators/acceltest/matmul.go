package acceltest

import (
	"fmt"
	"math"
	"strings"

	"github.com/carebot-llm/carebot/accelerators"
)

// matMulShapes are M, N, K.
var matMulShapes = [][3]int{
	{1, 1, 1}, {3, 17, 1}, {1, 65, 17}, {17, 3, 65}, {64, 64, 64}, {65, 65, 65}, {6, 200, 33}, {7, 16, 128}, {5, 48, 600},
	{100, 30, 70}, {130, 70, 40}, {113, 70, 1030}, {97, 2100, 9}, {1000, 17, 65},
}

func testMatMul(r *rig) {
	for _, shape := range matMulShapes {
		for form := range 4 {
			s := accelerators.MatMul{M: shape[0], N: shape[1], K: shape[2], TransA: form&1 != 0, TransB: form&2 != 0, Alpha: 1}
			r.run(fmt.Sprintf("%dx%dx%d/A^T=%v/B^T=%v", s.M, s.N, s.K, s.TransA, s.TransB), func(r *rig) {
				matMulCase(r, s)
				s.Alpha, s.Beta = 0.5, 1
				matMulCase(r, s)
				s.Beta, s.StrideA, s.StrideB, s.StrideC = -2, s.M+s.K+3, s.N+s.K+5, s.N+7
				matMulCase(r, s)
			})
		}
	}
	r.run("nothing to sum", func(r *rig) {
		c := r.normal(6)
		kept, cleared := r.upload(c), r.output(6)
		r.dev.MatMul(kept, kept.Slice(0, 0), kept.Slice(0, 0), accelerators.MatMul{M: 2, N: 3, Alpha: 1, Beta: 1})
		r.expect("c", kept, c, exactly)
		r.dev.MatMul(cleared, kept.Slice(0, 0), kept.Slice(0, 0), accelerators.MatMul{M: 2, N: 3, Alpha: 1})
		r.expect("c", cleared, make([]float64, 6), exactly)
	})
	r.run("special values", testSpecialProducts)
	r.run("side by side", testColumnsSideBySide)
	r.run("mistakes", testProductMistakes)
}

// testSpecialProducts: what is not finite passes into just the rows and columns that it belongs to, as IEEE 754 has it.
func testSpecialProducts(r *rig) {
	inf, nan := math.Inf(1), math.NaN()
	for _, m := range []int{4, 150} {
		for form := range 4 {
			s := accelerators.MatMul{M: m, N: 70, K: 20, TransA: form&1 != 0, TransB: form&2 != 0, Alpha: 1}
			a, b := newMatrix(r, s.M, s.K, 0, s.TransA), newMatrix(r, s.K, s.N, 0, s.TransB)
			a.x[a.index(1, 3)], a.x[a.index(2, 19)], b.x[b.index(5, 6)], b.x[b.index(3, 64)] = inf, nan, -inf, 0
			out := r.output(s.M * s.N)
			r.dev.MatMul(out, r.upload(a.x), r.upload(b.x), s)
			for i, got := range r.download(out) {
				want := 0.0
				for k := range s.K {
					want += a.x[a.index(i/s.N, k)] * b.x[b.index(k, i%s.N)]
				}
				same := math.IsNaN(want) == math.IsNaN(float64(got)) && (!math.IsInf(want, 0) || want == float64(got))
				if !same {
					r.t.Fatalf("%+v: c[%d,%d] = %v, want %v", s, i/s.N, i%s.N, got, want)
				}
			}
		}
	}
}

// testColumnsSideBySide: operands and output may be columns of one matrix.
func testColumnsSideBySide(r *rig) {
	const rows, width, stride = 40, 16, 48
	x, w := r.normal(rows*stride), newMatrix(r, width, width, 0, false)
	b := r.upload(x)
	r.dev.MatMul(b.Slice(width, (rows-1)*stride+width), b, r.upload(w.x), accelerators.MatMul{M: rows, N: width, K: width,
		StrideA: stride, StrideC: stride, Alpha: 1})
	for i := range rows {
		for j := range width {
			sum := 0.0
			for k := range width {
				sum += x[i*stride+k] * w.x[w.index(k, j)]
			}
			x[i*stride+width+j] = sum
		}
	}
	r.expect("rows", b, x, summed)
}

// testProductMistakes: shapes that do not fit, and an output that overlaps an operand, are errors that name the
// operation.
func testProductMistakes(r *rig) {
	square := accelerators.MatMul{M: 4, N: 4, K: 4, Alpha: 1}
	x, y := r.upload(r.normal(32)), r.upload(r.normal(32))
	narrow := square
	narrow.StrideB = 3
	for name, op := range map[string]func(){
		"c overlaps a": func() { r.dev.MatMul(x.Slice(15, 16), x, y, square) },
		"c overlaps b": func() { r.dev.MatMul(x, y, x.Slice(0, 16), square) },
		"short a":      func() { r.dev.MatMul(x, y.Slice(0, 15), y, square) },
		"stride":       func() { r.dev.MatMul(x, y, y, narrow) },
	} {
		op()
		if err := r.dev.Sync(); err == nil || !strings.Contains(err.Error(), "MatMul") {
			r.t.Errorf("%s: got error %v", name, err)
		}
	}
}

// matrix is op(X) of a stored matrix.
type matrix struct {
	x      []float64
	stride int
	trans  bool
}

func newMatrix(r *rig, rows, cols, stride int, trans bool) matrix {
	if trans {
		rows, cols = cols, rows
	}
	if stride == 0 {
		stride = cols
	}
	return matrix{r.normal((rows-1)*stride + cols), stride, trans}
}

func (m matrix) index(i, j int) int {
	if m.trans {
		i, j = j, i
	}
	return i*m.stride + j
}

// dense is op(X) row by row, without gaps.
func (m matrix) dense(rows, cols int) []float64 {
	x := make([]float64, 0, rows*cols)
	for i := range rows {
		for j := range cols {
			x = append(x, m.x[m.index(i, j)])
		}
	}
	return x
}

func matMulCase(r *rig, s accelerators.MatMul) {
	a := newMatrix(r, s.M, s.K, s.StrideA, s.TransA)
	b := newMatrix(r, s.K, s.N, s.StrideB, s.TransB)
	c := newMatrix(r, s.M, s.N, s.StrideC, false)
	out := r.upload(c.x)
	if s.Beta == 0 {
		out = r.output(len(c.x))
	}
	r.dev.MatMul(out, r.upload(a.x), r.upload(b.x), s)
	rows, sums := b.dense(s.K, s.N), make([]float64, s.N)
	for i := range s.M {
		clear(sums)
		for k := range s.K {
			v, row := a.x[a.index(i, k)], rows[k*s.N:][:len(sums)]
			for j := range sums {
				sums[j] += v * row[j]
			}
		}
		for j, sum := range sums {
			sum *= float64(s.Alpha)
			if s.Beta != 0 {
				sum += float64(s.Beta) * c.x[c.index(i, j)]
			}
			c.x[c.index(i, j)] = sum
		}
	}
	r.expect("c", out, c.x, summed)
	r.reset()
}

func testBias(r *rig) {
	for _, shape := range [][2]int{{1, 1}, {3, 17}, {65, 64}, {700, 65}} {
		rows, width := shape[0], shape[1]
		y, bias := r.normal(rows*width), r.normal(width)
		yb, db := r.activations(y), r.upload(bias)
		r.dev.AddBias(yb, db, width)
		r.dev.BiasGrad(db, r.activations(y), width)
		sums := append([]float64(nil), bias...)
		added := make([]float64, len(y))
		for i, v := range y {
			added[i] = v + bias[i%width]
			sums[i%width] += v
		}
		r.expect("AddBias", yb, added, elementwise)
		r.expect("BiasGrad", db, sums, summed)
		r.reset()
	}
}
