//go:build cuda

package cuda

import "github.com/carebot-llm/carebot/accelerators"

// An operand is a matrix in device memory, as stored: lines of length elements.
type operand struct {
	at            uint64
	bf16          bool
	lines, length int
	stride        int
}

// on16 reports whether all lines begin on boundaries of 16 bytes.
func (o operand) on16() bool { return o.at%16 == 0 && o.stride*o.size()%16 == 0 }

// size is the bytes of an element.
func (o operand) size() int {
	if o.bf16 {
		return 2
	}
	return 4
}

// span is the bytes from the first element to the last.
func (o operand) span() int { return ((o.lines-1)*o.stride + o.length) * o.size() }

// A product is C = alpha*op(A) op(B) + beta*C of at least one row and column.
type product struct {
	a, b, c        operand
	m, n, k        int
	transA, transB bool
	alpha, beta    float32
	rounds         bool // A and B are rounded to bf16 where they are not
}

// MatMul: C = alpha*op(A) op(B) + beta*C. C must not overlap A or B. With Beta 0 the old C is not read.
func (d *Device) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) {
	k := d.call("MatMul")
	s = denseStrides(s)
	k.counted("M", s.M)
	k.counted("N", s.N)
	k.counted("K", s.K)
	p := product{m: s.M, n: s.N, k: s.K, transA: s.TransA, transB: s.TransB, alpha: s.Alpha, beta: s.Beta,
		rounds: s.Compute == accelerators.BF16}
	if outputs := k.size(s.M, s.N); k.size(s.K) >= 0 && outputs > 0 {
		p.c = k.matrix("c", c, s.M, s.N, s.StrideC, p.rounds)
		if s.K > 0 {
			p.a = k.factor("a", a, s.TransA, s.M, s.K, s.StrideA, p.rounds)
			p.b = k.factor("b", b, s.TransB, s.K, s.N, s.StrideB, p.rounds)
			k.apart("a", c, p.c, a, p.a)
			k.apart("b", c, p.c, b, p.b)
		}
	}
	if passed(k, s) && s.M*s.N > 0 {
		d.multiply(p)
	}
}

func denseStrides(s accelerators.MatMul) accelerators.MatMul {
	pick := func(trans bool, rows, cols, stride int) int {
		switch {
		case stride != 0:
			return stride
		case trans:
			return rows
		}
		return cols
	}
	s.StrideA = pick(s.TransA, s.M, s.K, s.StrideA)
	s.StrideB = pick(s.TransB, s.K, s.N, s.StrideB)
	s.StrideC = pick(false, s.M, s.N, s.StrideC)
	return s
}

// matrix is an operand, F32 or, in products that round, also BF16. What overlaps is found by apart.
func (c *call) matrix(name string, b accelerators.Buffer, lines, length, stride int, orBF16 bool) operand {
	want := accelerators.F32
	if orBF16 && b.Type == accelerators.BF16 {
		want = accelerators.BF16
	}
	at := c.address(name, b, want, c.span(lines, stride, length), reads)
	return operand{at, want == accelerators.BF16, lines, length, stride}
}

// factor is the matrix of an operand [rows,cols] that may be stored transposed.
func (c *call) factor(name string, b accelerators.Buffer, trans bool, rows, cols, stride int, orBF16 bool) operand {
	if trans {
		rows, cols = cols, rows
	}
	return c.matrix(name, b, rows, cols, stride, orBF16)
}

// apart complains when an operand shares elements with the output. Columns side by side in the same rows are apart.
func (c *call) apart(name string, out accelerators.Buffer, w operand, in accelerators.Buffer, v operand) {
	if c.skip || out.Mem != in.Mem || w.at >= v.at+uint64(v.span()) || v.at >= w.at+uint64(w.span()) {
		return
	}
	shift := (in.Off - out.Off) % w.stride
	if shift < 0 {
		shift += w.stride
	}
	if w.stride != v.stride || shift < w.length || shift+v.length > w.stride {
		c.fail("c and %s overlap", name)
	}
}

// multiply enqueues a product: by kernels for few rows; else by cublasLt where it is there and knows a way; else by
// the kernels for all shapes.
func (d *Device) multiply(p product) {
	switch {
	case p.k == 0 || p.alpha == 0:
		d.sum(p, 0, 0, 0)
	case p.isFew():
		d.multiplyFew(p)
	case !d.multiplyByLibrary(p):
		d.multiplyTiled(p)
	}
}

// sum: C = alpha*(sum of the shares' parts) + beta*C.
func (d *Device) sum(p product, parts uint64, shares, stride int) {
	d.launch("product_around", "product_sum", covering(p.m*blocks(p.n, 8)), p.c.at, parts, uint64(shares), uint64(p.m),
		uint64(p.n), uint64(stride), uint64(p.c.stride), f32(p.alpha), f32(p.beta), flag(p.c.bf16))
}

// flag is a condition as an argument.
func flag(set bool) uint64 {
	if set {
		return 1
	}
	return 0
}
