package cpu

import "github.com/carebot-llm/carebot/accelerators"

// bf16TaskFlops is the least that is worth a task of its own.
const bf16TaskFlops = 1 << 21

// bf16Kernels multiply operands that are rounded to bfloat16 while they are packed. What the tile takes from a row of A
// or a column of B in one step is a word: depth values that follow each other in K, filled up with zero at the end of
// K. A word has the size of a float32 and is kept as one, whatever its bits are. Packing may write whole lines of 16
// words.
type bf16Kernels struct {
	depth  int
	blocks bf16Blocks
	// tile: C[m,n] (+)= alpha * A B with m <= height, n <= width. Row i of A is words from a[i*rowStep] on; B is a packed
	// panel, its words width apart. Both are filled up with words of zero to a whole line; what is in rows of A up to the
	// next multiple of 16, and in other lanes of B, does not matter. Nil stands for the set's own tile.
	tile func(s *scratch, words int, a []float32, rowStep int, b, c []float32, ldc, m, n int, alpha float32, add bool)
	// columns packs a matrix of at most 64 columns whose rows are K: word i of column j goes to dst[i*ldd+j].
	columns func(dst []float32, ldd int, src []float32, lds, rows, cols int)
	// rows packs a matrix whose columns are K: word j of row i goes to dst[i*ldd+j], and zero up to a whole line.
	rows func(dst []float32, ldd int, src []float32, lds, rows, cols int)
	// transpose packs the same, at most 16 rows of it: word j of row i goes to dst[j*ldd+i].
	transpose func(dst []float32, ldd int, src []float32, lds, rows, cols int)
	// prefetch may bring x, which is not empty, nearer.
	prefetch func(x []float32)
}

// bf16Blocks are the blocks of a product of rounded operands, as in matmul.go.
type bf16Blocks struct {
	height, width int // of a tile
	k, n          int // of B; k is a multiple of 32, so that no line of words is cut
	unit, rows    int // rows of a task: a multiple of unit, no more than rows unless they are too little work
	thinRows      int // at most so many rows, fewer than columns: cut the work by columns,
	thinSize      int // unless A has more elements and leaves the cache
}

// words is how many words a depth of K takes.
func (k *bf16Kernels) words(depth int) int { return (depth + k.depth - 1) / k.depth }

// lines rounds up to what packing writes at a time.
func lines(words int) int { return (words + 15) &^ 15 }

func (s *kernelSet) bf16() bf16Kernels {
	if s.pairs != nil {
		return *s.pairs
	}
	return roundedBF16(s)
}

// bf16Product is a product with the block of it that is under way.
type bf16Product struct {
	accelerators.MatMul
	a, b, c  []float32
	dev      *Device
	set      *kernelSet
	kernels  bf16Kernels
	cols, ks span
	panels   []float32 // B in words, panel by panel
	left     []float32 // A in words, where all of it is packed at once: row i from left[i*rowStep] on
	rowStep  int
	step     int // the depth of a block of K
	share    int // rows, or panels, of a task
}

// multiplyBF16 is multiply for operands that are rounded to bfloat16. A is packed by tasks, for every block of columns
// again, into memory that stays in the cache.
func (d *Device) multiplyBF16(p *product) {
	t := &d.ops.bf16
	t.MatMul, t.a, t.b, t.c = p.MatMul, p.a, p.b, p.c
	t.dev, t.set, t.kernels = d, p.set, p.set.bf16()
	blocks := (t.K + t.kernels.blocks.k - 1) / t.kernels.blocks.k
	t.step = ((t.K+blocks-1)/blocks + 31) &^ 31
	if few := t.kernels.blocks; t.M <= few.thinRows && 2*t.M <= t.N && t.M*t.K <= few.thinSize {
		t.thin()
	} else {
		t.wide()
	}
}

// depth is how many lines of words a block of K takes, in words.
func (t *bf16Product) depth(k int) int { return lines(t.kernels.words(k)) }

// wide packs a block of B with all workers, then gives each worker blocks of rows.
func (t *bf16Product) wide() {
	width := t.kernels.blocks.width
	for column := 0; column < t.N; column += t.kernels.blocks.n {
		t.cols = span{column, min(t.kernels.blocks.n, t.N-column)}
		panels := (t.cols.n + width - 1) / width
		for k := 0; k < t.K; k += t.step {
			t.ks = span{k, min(t.step, t.K-k)}
			t.panels = t.dev.shared.floats(slotPanels, panels*width*t.depth(t.step))
			t.dev.each(panels, t.ks.n*width, bf16Packing{t})
			rows := t.taskRows()
			t.share = rows * max(1, bf16TaskFlops/2/(rows*t.cols.n*t.ks.n))
			t.dev.pool.run((t.M+t.share-1)/t.share, bf16Rows{t})
		}
	}
}

// taskRows is two tasks for every worker, so that all end together. Rows do not depend on the others of their task.
func (t *bf16Product) taskRows() int {
	const tasks = 2
	unit := t.kernels.blocks.unit
	units := t.M / (tasks * t.dev.pool.threads * unit)
	return min(unit*max(1, units), t.kernels.blocks.rows)
}

// bf16Packing packs panels of the block of B.
type bf16Packing struct{ *bf16Product }

func (t bf16Packing) items(_, lo, hi int) {
	width := t.kernels.blocks.width
	for j := lo; j < hi; j++ {
		t.pack(t.panels[j*width*t.depth(t.ks.n):], t.cols.from+j*width, min(width, t.cols.n-j*width), t.ks)
	}
}

// pack makes a panel of op(B)[ks, column:column+n].
func (t *bf16Product) pack(panel []float32, column, n int, ks span) {
	width := t.kernels.blocks.width
	clear(panel[t.kernels.words(ks.n)*width : t.depth(ks.n)*width])
	if !t.TransB {
		t.kernels.columns(panel, width, t.b[ks.from*t.StrideB+column:], t.StrideB, ks.n, n)
		return
	}
	for j := 0; j < n; j += 16 {
		t.kernels.transpose(panel[j:], width, t.b[(column+j)*t.StrideB+ks.from:], t.StrideB, min(16, n-j), ks.n)
	}
}

// bf16Rows computes rows of C from the block of B.
type bf16Rows struct{ *bf16Product }

func (t bf16Rows) block(worker, i int) {
	s, from, to := &t.dev.scratch[worker], i*t.share, min(t.M, (i+1)*t.share)
	t.scaleOld(from, to, t.cols, t.ks)
	rows := min(t.kernels.blocks.height, t.kernels.blocks.rows)
	if t.TransA {
		rows = t.kernels.blocks.rows
	}
	for row := from; row < to; row += rows {
		t.rows(s, span{row, min(rows, to-row)})
	}
}

// scaleOld multiplies what is in C by beta before the first block of K adds to it.
func (t *bf16Product) scaleOld(from, to int, cols, ks span) {
	if ks.from > 0 || t.Beta == 0 || t.Beta == 1 {
		return
	}
	for i := from; i < to; i++ {
		t.set.scale(t.c[i*t.StrideC+cols.from:][:cols.n], t.Beta)
	}
}

// rows packs rows of A and computes those of C.
func (t *bf16Product) rows(s *scratch, rows span) {
	height, width := t.kernels.blocks.height, t.kernels.blocks.width
	stride := t.depth(t.ks.n) + 16 // rows a power of two apart would share lines of the cache
	a := s.floats(slotStrips, lines(rows.n)*stride)
	t.packLeft(s, a, stride, rows, t.ks)
	panels := (t.cols.n + width - 1) / width
	for i := 0; i < rows.n; i += height {
		tile := span{rows.from + i, min(height, rows.n-i)}
		for j := range panels {
			t.prefetchRows(span{tile.from + height + j*height/panels, (j+1)*height/panels - j*height/panels})
			t.tile(s, a[i*stride:], stride, tile, t.cols, t.ks, t.panels, j)
		}
	}
}

// prefetchRows asks for rows of A that the next tile packs.
func (t *bf16Product) prefetchRows(rows span) {
	if t.TransA {
		return
	}
	for i := rows.from; i < min(rows.from+rows.n, t.M); i++ {
		t.kernels.prefetch(t.a[i*t.StrideA+t.ks.from:][:t.ks.n])
	}
}

// packLeft packs op(A)[rows, ks] into rows of words, stride apart.
func (t *bf16Product) packLeft(s *scratch, dst []float32, stride int, rows, ks span) {
	if !t.TransA {
		t.kernels.rows(dst, stride, t.a[rows.from*t.StrideA+ks.from:], t.StrideA, rows.n, ks.n)
		return
	}
	for i := 0; i < rows.n; i += turnedColumns {
		t.kernels.turn(t.set, s, dst[i*stride:], stride, t.a[ks.from*t.StrideA+rows.from+i:], t.StrideA, ks.n,
			min(turnedColumns, rows.n-i))
	}
}

// turnedColumns is how many columns of a transposed A are packed side by side.
const turnedColumns = 64

// turn packs a matrix of at most turnedColumns columns whose rows are K, a line of words at a time: side by side, and
// then into rows of words, stride apart.
func (k *bf16Kernels) turn(set *kernelSet, s *scratch, dst []float32, stride int, src []float32, lds, rows, cols int) {
	const line = 16
	words, depth := s.floats(slotWords, line*turnedColumns), line*k.depth
	for i := 0; i < rows; i += depth {
		n := min(depth, rows-i)
		clear(words[k.words(n)*turnedColumns:])
		k.columns(words, turnedColumns, src[i*lds:], lds, n, cols)
		set.transpose(dst[i/k.depth:], stride, words, turnedColumns, line, cols)
	}
}

// tile computes rows of C in panel j.
func (t *bf16Product) tile(s *scratch, a []float32, rowStep int, rows, cols, ks span, panels []float32, j int) {
	width := t.kernels.blocks.width
	column, words := j*width, t.kernels.words(ks.n)
	b, c := panels[column*t.depth(ks.n):], t.c[rows.from*t.StrideC+cols.from+column:]
	n, add := min(width, cols.n-column), ks.from > 0 || t.Beta != 0
	t.kernels.multiply(t.set, s, words, a, rowStep, b, c, t.StrideC, rows.n, n, t.Alpha, add)
}

// multiply is tile, with the set's own where there is none.
func (k *bf16Kernels) multiply(set *kernelSet, s *scratch, words int, a []float32, rowStep int, b, c []float32,
	ldc, m, n int, alpha float32, add bool) {
	if k.tile == nil {
		set.tile(words, a, rowStep, 1, b, c, ldc, m, n, alpha, add)
		return
	}
	k.tile(s, words, a, rowStep, b, c, ldc, m, n, alpha, add)
}

// thin packs the whole of A once, then gives each worker panels of columns, which it packs for itself.
func (t *bf16Product) thin() {
	width := t.kernels.blocks.width
	t.rowStep = t.depth(t.K) + 16
	t.left = t.dev.shared.floats(slotWords, lines(t.M)*t.rowStep)
	t.dev.each(t.M, t.K, bf16Left{t})
	t.share = max(1, bf16TaskFlops/2/(t.M*t.K*width))
	panels := (t.N + width - 1) / width
	t.dev.pool.run((panels+t.share-1)/t.share, bf16Panels{t})
}

// bf16Left packs rows of op(A).
type bf16Left struct{ *bf16Product }

func (t bf16Left) items(worker, lo, hi int) {
	s := &t.dev.scratch[worker]
	t.packLeft(s, t.left[lo*t.rowStep:], t.rowStep, span{lo, hi - lo}, span{0, t.K})
}

// bf16Panels computes panels of C.
type bf16Panels struct{ *bf16Product }

func (t bf16Panels) block(worker, i int) {
	s, width, height := &t.dev.scratch[worker], t.kernels.blocks.width, t.kernels.blocks.height
	panel := s.floats(slotPanels, width*t.depth(t.step))
	for column := i * t.share * width; column < min(t.N, (i+1)*t.share*width); column += width {
		cols := span{column, min(width, t.N-column)}
		for k := 0; k < t.K; k += t.step {
			ks := span{k, min(t.step, t.K-k)}
			t.pack(panel, column, cols.n, ks)
			t.scaleOld(0, t.M, cols, ks)
			for row := 0; row < t.M; row += height {
				a := t.left[row*t.rowStep+k/t.kernels.depth:]
				t.tile(s, a, t.rowStep, span{row, min(height, t.M-row)}, cols, ks, panel, 0)
			}
		}
	}
}
