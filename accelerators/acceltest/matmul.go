package acceltest

import (
	"fmt"

	"github.com/carebot-llm/carebot/accelerators"
)

// matMulShapes are M, N, K.
var matMulShapes = [][3]int{
	{1, 1, 1}, {3, 17, 1}, {1, 65, 17}, {17, 3, 65}, {64, 64, 64}, {65, 65, 65}, {6, 200, 33}, {7, 16, 128}, {5, 48, 600},
	{100, 30, 70}, {130, 70, 40}, {113, 129, 1030}, {97, 2100, 9}, {1000, 17, 65},
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

func matMulCase(r *rig, s accelerators.MatMul) {
	a := newMatrix(r, s.M, s.K, s.StrideA, s.TransA)
	b := newMatrix(r, s.K, s.N, s.StrideB, s.TransB)
	c := newMatrix(r, s.M, s.N, s.StrideC, false)
	out := r.upload(c.x)
	if s.Beta == 0 {
		out = r.output(len(c.x))
	}
	r.dev.MatMul(out, r.upload(a.x), r.upload(b.x), s)
	for i := range s.M {
		for j := range s.N {
			sum := 0.0
			for k := range s.K {
				sum += a.x[a.index(i, k)] * b.x[b.index(k, j)]
			}
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
		yb, db := r.upload(y), r.upload(bias)
		r.dev.AddBias(yb, db, width)
		r.dev.BiasGrad(db, r.upload(y), width)
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
