package cpu

import "github.com/carebot-llm/carebot/accelerators"

// The blocks of a product. A block of B, at most blockK by blockN, is packed into panels once and shared by all
// workers; a tile of A stays in the first-level cache while the panels stream past it. K is cut by blockK alone,
// never between workers.
const (
	blockK    = 512
	blockN    = 2048
	stripRows = 8 * tileRows // rows of a transposed A that are packed at a time
	taskRows  = 4 * tileRows
	thinRows  = 4 * taskRows // at most so many rows: cut the work by columns
	taskFlops = 1 << 20      // the least that is worth a task of its own
)

// product is C = alpha*op(A) op(B) + beta*C with all strides filled in.
type product struct {
	accelerators.MatMul
	a, b, c []float32
	set     *kernelSet
}

// MatMul: C = alpha*op(A) op(B) + beta*C. C must not overlap A or B. With Beta 0 the old C is not read.
func (d *Device) MatMul(c, a, b accelerators.Buffer, s accelerators.MatMul) {
	k := d.call("MatMul")
	s = denseStrides(s)
	p := product{MatMul: s, set: d.set}
	if outputs := k.size(s.M, s.N); k.size(s.K) >= 0 && outputs > 0 {
		p.c = k.f32("c", c, k.span(s.M, s.StrideC, s.N))
		if s.K > 0 {
			p.a = k.f32("a", a, k.spanOf(s.TransA, s.M, s.K, s.StrideA))
			p.b = k.f32("b", b, k.spanOf(s.TransB, s.K, s.N, s.StrideB))
		}
	}
	if k.ok(s) && s.M*s.N > 0 {
		d.multiply(&p)
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

func (d *Device) multiply(p *product) {
	switch {
	case p.K == 0 || p.Alpha == 0:
		for i := range p.M {
			p.scaleRow(i, 0, p.N)
		}
	case p.Compute == accelerators.BF16:
		d.multiplyBF16(p)
	case p.M <= thinRows:
		d.multiplyThin(p)
	default:
		d.multiplyWide(p)
	}
}

// kBlocks evens out the blocks of K, so that none is a stub.
func (p *product) kBlocks() (step int) {
	blocks := (p.K + blockK - 1) / blockK
	return ((p.K+blocks-1)/blocks + 7) &^ 7
}

// multiplyThin gives each worker a panel of columns, which it packs for itself: with few rows of C packing is much of
// the work, and the rows are too few to share out.
func (d *Device) multiplyThin(p *product) {
	width, step := p.set.width, p.kBlocks()
	panels := (p.N + width - 1) / width
	group := max(1, taskFlops/2/(p.M*p.K*width))
	d.runFunc((panels+group-1)/group, func(worker, block int) {
		buffer := d.scratch[worker].floats(slotPanels, width*step)
		for j := block * group; j < min(panels, (block+1)*group); j++ {
			column := j * width
			n := min(width, p.N-column)
			for k := 0; k < p.K; k += step {
				depth := min(step, p.K-k)
				p.pack(buffer, column, n, k, depth)
				p.rows(&d.scratch[worker], 0, p.M, span{column, n}, span{k, depth}, buffer)
			}
		}
	})
}

// multiplyWide packs a block of B with all workers, then gives each worker blocks of rows.
func (d *Device) multiplyWide(p *product) {
	width, step := p.set.width, p.kBlocks()
	for column := 0; column < p.N; column += blockN {
		n := min(blockN, p.N-column)
		panels := (n + width - 1) / width
		for k := 0; k < p.K; k += step {
			depth := min(step, p.K-k)
			packed := d.shared.floats(slotPanels, panels*width*step)
			d.eachFunc(panels, depth*width, func(_, lo, hi int) {
				for j := lo; j < hi; j++ {
					p.pack(packed[j*width*depth:], column+j*width, min(width, n-j*width), k, depth)
				}
			})
			rows := p.taskRows(n, depth)
			d.runFunc((p.M+rows-1)/rows, func(worker, block int) {
				to := min(p.M, (block+1)*rows)
				p.rows(&d.scratch[worker], block*rows, to, span{column, n}, span{k, depth}, packed)
			})
		}
	}
}

func (p *product) taskRows(n, depth int) int {
	least := taskRows
	if p.TransA {
		least = stripRows
	}
	return least * max(1, taskFlops/2/(least*n*depth))
}

// A span is n indices from from on.
type span struct{ from, n int }

// pack copies op(B)[k:k+depth, column:column+n] into a panel.
func (p *product) pack(panel []float32, column, n, k, depth int) {
	if p.TransB {
		packTransposed(p.set, panel, p.b[column*p.StrideB+k:], p.StrideB, n, depth)
		return
	}
	packRows(p.set, panel, p.b[k*p.StrideB+column:], p.StrideB, n, depth)
}

// packRows makes a panel of a [depth,n] matrix.
func packRows(set *kernelSet, panel, src []float32, stride, n, depth int) {
	for i := range depth {
		copy(panel[i*set.width:i*set.width+n], src[i*stride:i*stride+n])
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
	row := from
	if p.TransA && cols.n > p.set.width {
		for ; row+stripRows <= to; row += stripRows {
			p.packedRows(s, row, cols, ks, panels, add)
		}
	}
	rowStep, colStep := p.StrideA, 1
	if p.TransA {
		rowStep, colStep = 1, p.StrideA
	}
	for ; row < to; row += tileRows {
		a := p.a[row*rowStep+ks.from*colStep:]
		p.tiles(a, rowStep, colStep, row, min(tileRows, to-row), cols, ks.n, panels, add)
	}
}

// packedRows packs stripRows columns of a transposed A into strips first: read in place, each would touch a cache
// line for every k and every panel.
func (p *product) packedRows(s *scratch, row int, cols, ks span, panels []float32, add bool) {
	step := tileRows*ks.n + 16
	strips := s.floats(slotStrips, 8*step)
	p.set.strips(strips, step, p.a[ks.from*p.StrideA+row:], p.StrideA, ks.n)
	for i := range 8 {
		p.tiles(strips[i*step:], 1, tileRows, row+i*tileRows, tileRows, cols, ks.n, panels, add)
	}
}

// tiles computes m rows of C from row on, panel by panel.
func (p *product) tiles(a []float32, rowStep, colStep, row, m int, cols span, depth int, panels []float32, add bool) {
	width := p.set.width
	for j := 0; j < cols.n; j += width {
		c := p.c[row*p.StrideC+cols.from+j:]
		p.set.tile(depth, a, rowStep, colStep, panels[j*depth:], c, p.StrideC, m, min(width, cols.n-j), p.Alpha, add)
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
