package cpu

import "github.com/carebot-llm/carebot/accelerators"

// blockK is where K is cut, the same on every machine: each element of C is one chain over k within a block, so a row
// of C has the same bits whatever the other rows, the caches, the threads and the way through these files.
const blockK = 768

// product is C = alpha*op(A) op(B) + beta*C with all strides filled in, and how far it is: each phase is a task on it.
// The device keeps one, so that a product allocates nothing.
type product struct {
	accelerators.MatMul
	a, b, c []float32
	dev     *Device
	set     *kernelSet
	step    int // K is cut into blocks of so many

	rows, ks span   // the block that is under way: of rows of C, and of K
	left     left   // the rows of A
	grid     grid   // the tasks
	queues   queues // and who does which
	strips   strips
	panels   []float32 // of a turned product: the packed rows of A
	group    int       // the columns of C that a worker computes at a time
	shares   shares    // and the workers' shares of such groups
}

// A span is n indices from from on.
type span struct{ from, n int }

// MatMul: C = alpha*op(A) op(B) + beta*C. C must not overlap A or B. With Beta 0 the old C is not read.
func (d *Device) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) {
	k := d.call("MatMul")
	s = denseStrides(s)
	var ms, as, bs []float32
	if outputs := k.size(s.M, s.N); k.size(s.K) >= 0 && outputs > 0 {
		ms = k.f32("c", c, k.span(s.M, s.StrideC, s.N))
		if s.K > 0 {
			as = k.f32("a", a, k.spanOf(s.TransA, s.M, s.K, s.StrideA))
			bs = k.f32("b", b, k.spanOf(s.TransB, s.K, s.N, s.StrideB))
			out := matrix{c, s.M, s.N, s.StrideC}
			k.apart("a", out, stored(a, s.TransA, s.M, s.K, s.StrideA))
			k.apart("b", out, stored(b, s.TransB, s.K, s.N, s.StrideB))
		}
	}
	if passed(k, s) && s.M*s.N > 0 {
		d.multiply(ms, as, bs, s)
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

// spanOf is the span of a [rows,cols] operand, or of its transpose.
func (c *call) spanOf(trans bool, rows, cols, stride int) int {
	if trans {
		rows, cols = cols, rows
	}
	return c.span(rows, stride, cols)
}

// A matrix lies within a buffer.
type matrix struct {
	accelerators.Buffer
	rows, cols, stride int
}

// stored is where a [rows,cols] operand lies that may be stored transposed.
func stored(b accelerators.Buffer, trans bool, rows, cols, stride int) matrix {
	if trans {
		rows, cols = cols, rows
	}
	return matrix{b, rows, cols, stride}
}

// apart complains when an operand shares elements with the output.
func (c *call) apart(name string, out, in matrix) {
	if !c.skip && out.overlaps(in) {
		c.fail("c and %s overlap", name)
	}
}

func (w matrix) overlaps(v matrix) bool {
	if w.Mem != v.Mem || w.Off >= v.end() || v.Off >= w.end() {
		return false
	}
	if w.stride != v.stride {
		return true
	}
	shift := (v.Off - w.Off) % w.stride // columns side by side in the same rows are apart
	if shift < 0 {
		shift += w.stride
	}
	return shift < w.cols || shift+v.cols > w.stride
}

func (w matrix) end() int { return w.Off + (w.rows-1)*w.stride + w.cols }

// multiply computes a product of at least one row and column.
func (d *Device) multiply(c, a, b []float32, s accelerators.MatMul) {
	p := &d.ops.product
	*p = product{MatMul: s, a: a, b: b, c: c, dev: d, set: d.set, queues: p.queues, strips: p.strips}
	p.step = roundUp(evenly(p.K, blockK), 8) // no block of K is a stub
	switch {
	case p.K == 0 || p.Alpha == 0:
		for i := range p.M {
			p.scaleRow(i, 0, p.N)
		}
	case p.Compute == accelerators.BF16:
		d.multiplyBF16(p)
	case p.isFew():
		p.few()
	case p.M <= turnedMost && p.TransB && p.N >= p.M:
		p.turned()
	default:
		p.blocked()
	}
}

// packRows makes a panel of a [depth,n] matrix.
func packRows(set *kernelSet, panel, src []float32, stride, n, depth int) {
	copyRows(panel, set.width, src, stride, depth, n)
}

func copyRows(dst []float32, ldd int, src []float32, lds, rows, n int) {
	for i := range rows {
		copy(dst[i*ldd:i*ldd+n], src[i*lds:i*lds+n])
	}
}

// packTransposed makes a panel of the transpose of an [n,depth] matrix.
func packTransposed(set *kernelSet, panel, src []float32, stride, n, depth int) {
	for j := 0; j < n; j += 16 {
		set.transpose(panel[j:], set.width, src[j*stride:], stride, min(16, n-j), depth)
	}
}

// scaleRow is beta*C for part of a row; beta 0 clears even what is not a number.
func (p *product) scaleRow(row, column, n int) {
	c := p.c[row*p.StrideC+column:][:n]
	if p.Beta == 0 {
		clear(c)
		return
	}
	p.set.scale(c, p.Beta)
}
