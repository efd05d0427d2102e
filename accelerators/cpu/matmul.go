package cpu

import "github.com/carebot-llm/carebot/accelerators"

// The blocks of a product. A block of B, at most blockK by blockN, is packed into panels once and shared by all
// workers. Of the rows of C that are a worker's task, A stays in the second-level cache while the panels pass it, each
// of which serves all tiles of the task before the next one comes. K is cut by blockK alone, never between workers,
// and each element of C is one chain over k within a block: so a row of C has the same bits whatever the other rows,
// the threads and the way through this file.
const (
	blockK    = 768
	blockN    = 2048
	stripRows = 8 * tileRows // rows of a transposed A that are packed at a time
	taskRows  = 4 * tileRows
	thinRows  = 4 * taskRows // at most so many rows: cut the work by columns
	taskFlops = 1 << 20      // the least that is worth a task of its own
)

// product is C = alpha*op(A) op(B) + beta*C with all strides filled in, and how far it is: each phase is a task on it.
// The device keeps one, so that a product allocates nothing.
type product struct {
	accelerators.MatMul
	a, b, c []float32
	dev     *Device
	set     *kernelSet
	step    int // K is cut into blocks of so many

	cols, ks span      // the block of B
	panels   []float32 // the same, packed
	group    int       // items of a block of the task: panels, or rows of C
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
	d.ops.product = product{MatMul: s, a: a, b: b, c: c, dev: d, set: d.set}
	p := &d.ops.product
	p.step = p.kBlock()
	switch {
	case p.K == 0 || p.Alpha == 0:
		for i := range p.M {
			p.scaleRow(i, 0, p.N)
		}
	case p.Compute == accelerators.BF16:
		d.multiplyBF16(p)
	case p.M <= turnedMost && p.TransB && p.N >= p.M:
		p.turned()
	case p.M <= thinRows:
		p.thin()
	default:
		p.wide()
	}
}

// kBlock evens out the blocks of K, so that none is a stub.
func (p *product) kBlock() (step int) {
	blocks := max(1, (p.K+blockK-1)/blockK)
	return ((p.K+blocks-1)/blocks + 7) &^ 7
}

// thin gives each worker panels of columns, which it packs for itself: with few rows of C packing is much of the work,
// and the rows are too few to share out.
func (p *product) thin() {
	panels := (p.N + p.set.width - 1) / p.set.width
	p.group = max(1, taskFlops/2/(p.M*p.K*p.set.width))
	p.dev.pool.run((panels+p.group-1)/p.group, (*thinTask)(p))
}

type thinTask product

func (t *thinTask) block(worker, i int) {
	p, width := (*product)(t), t.set.width
	s := &p.dev.scratch[worker]
	panel := s.floats(slotPanels, width*p.step)
	for column := i * p.group * width; column < min(p.N, (i+1)*p.group*width); column += width {
		cols := span{column, min(width, p.N-column)}
		for k := 0; k < p.K; k += p.step {
			ks := span{k, min(p.step, p.K-k)}
			p.pack(panel, cols, ks)
			p.rows(s, 0, p.M, cols, ks, panel)
		}
	}
}

// wide packs a block of B with all workers, then gives each worker blocks of rows.
func (p *product) wide() {
	width := p.set.width
	for column := 0; column < p.N; column += blockN {
		p.cols = span{column, min(blockN, p.N-column)}
		panels := (p.cols.n + width - 1) / width
		p.panels = p.dev.shared.floats(slotPanels, panels*width*p.step)
		for k := 0; k < p.K; k += p.step {
			p.ks = span{k, min(p.step, p.K-k)}
			p.dev.each(panels, p.ks.n*width, (*packTask)(p))
			p.group = p.taskRows()
			p.dev.pool.run((p.M+p.group-1)/p.group, (*rowsTask)(p))
		}
	}
}

// packTask packs panels of the block of B.
type packTask product

func (t *packTask) items(_, lo, hi int) {
	p, width := (*product)(t), t.set.width
	for j := lo; j < hi; j++ {
		cols := span{p.cols.from + j*width, min(width, p.cols.n-j*width)}
		p.pack(p.panels[j*width*p.ks.n:], cols, p.ks)
	}
}

// rowsTask computes rows of C from the block of B.
type rowsTask product

func (t *rowsTask) block(worker, i int) {
	p := (*product)(t)
	p.rows(&p.dev.scratch[worker], i*p.group, min(p.M, (i+1)*p.group), p.cols, p.ks, p.panels)
}

func (p *product) taskRows() int {
	least := taskRows
	if p.TransA {
		least = stripRows
	}
	return least * max(1, taskFlops/2/(least*p.cols.n*p.ks.n))
}

// pack copies op(B)[ks, cols] into a panel.
func (p *product) pack(panel []float32, cols, ks span) {
	if p.TransB {
		packTransposed(p.set, panel, p.b[cols.from*p.StrideB+ks.from:], p.StrideB, cols.n, ks.n)
		return
	}
	packRows(p.set, panel, p.b[ks.from*p.StrideB+cols.from:], p.StrideB, cols.n, ks.n)
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

// rows computes C[from:to, cols] from a block of K; panels hold the columns.
func (p *product) rows(s *scratch, from, to int, cols, ks span, panels []float32) {
	add := ks.from > 0 || p.Beta != 0
	if ks.from == 0 && p.Beta != 0 && p.Beta != 1 {
		for i := from; i < to; i++ {
			p.scaleRow(i, cols.from, cols.n)
		}
	}
	if p.TransA && cols.n > p.set.width && to >= stripRows {
		for ; from+stripRows <= to; from += stripRows {
			p.tiles(p.strips(s, from, ks), from, from+stripRows, cols, ks, panels, add)
		}
		p.lastRows(s, from, to, cols, ks, panels, add)
		return
	}
	p.tiles(p.inPlace(from, ks), from, to, cols, ks, panels, add)
}

// lastRows is for fewer than stripRows: the strips end with the last row, and of the first one that is needed a part.
func (p *product) lastRows(s *scratch, from, to int, cols, ks span, panels []float32, add bool) {
	if from == to {
		return
	}
	l := p.strips(s, to-stripRows, ks)
	whole := (to - from - 1) / tileRows
	part := to - from - whole*tileRows
	l.a = l.a[(stripRows/tileRows-whole-1)*l.tileStep:]
	rest := l
	rest.a = l.a[l.tileStep:]
	l.a = l.a[tileRows-part:]
	p.tiles(l, from, from+part, cols, ks, panels, add)
	p.tiles(rest, from+part, to, cols, ks, panels, add)
}

// left is rows of op(A) within a block of K: element (i,k) of tile t is a[t*tileStep+i*rowStep+k*colStep].
type left struct {
	a                          []float32
	tileStep, rowStep, colStep int
}

func (p *product) inPlace(row int, ks span) left {
	if p.TransA {
		return left{p.a[ks.from*p.StrideA+row:], tileRows, 1, p.StrideA}
	}
	return left{p.a[row*p.StrideA+ks.from:], tileRows * p.StrideA, p.StrideA, 1}
}

// strips packs stripRows columns of a transposed A: read in place, each tile would touch a cache line for every k and
// every panel.
func (p *product) strips(s *scratch, row int, ks span) left {
	step := tileRows*ks.n + 16
	strips := s.floats(slotStrips, stripRows/tileRows*step)
	p.set.strips(strips, step, p.a[ks.from*p.StrideA+row:], p.StrideA, ks.n)
	return left{strips, step, 1, tileRows}
}

// tiles computes C[from:to, cols] from a block of K.
func (p *product) tiles(l left, from, to int, cols, ks span, panels []float32, add bool) {
	width := p.set.width
	for j := 0; j < cols.n; j += width {
		panel, a := panels[j*ks.n:], l.a
		n := min(width, cols.n-j)
		for row := from; row < to; row += tileRows {
			c := p.c[row*p.StrideC+cols.from+j:]
			p.set.tile(ks.n, a, l.rowStep, l.colStep, panel, c, p.StrideC, min(tileRows, to-row), n, p.Alpha, add)
			a = a[min(len(a), l.tileStep):]
		}
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
