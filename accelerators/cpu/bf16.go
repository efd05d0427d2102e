package cpu

import "github.com/carebot-llm/carebot/accelerators"

// The blocks of a product of rounded operands, as in matmul.go.
const (
	bf16BlockK    = 1536 // even, so that no pair is cut
	bf16BlockN    = 2048
	bf16StripRows = 8 * tileRows
	bf16TaskRows  = 4 * tileRows
	bf16ThinRows  = 4 * bf16TaskRows
	bf16TaskFlops = 1 << 21
)

// bf16Kernels multiply operands that are rounded to bfloat16 while they are packed. What the tile takes from a row of A
// or a column of B in one step is a word: depth values that follow each other in K, filled up with zero at the end of
// K. A word has the size of a float32 and is kept as one, whatever its bits are. Packing may write whole lines of 16
// words.
type bf16Kernels struct {
	depth int
	// tile is kernelSet.tile with words in A and B.
	tile func(words int, a []float32, rowStep, colStep int, b, c []float32, ldc, m, n int, alpha float32, add bool)
	// columns packs a matrix of at most 64 columns whose rows are K: word i of column j goes to dst[i*ldd+j].
	columns func(dst []float32, ldd int, src []float32, lds, rows, cols int)
	// rows packs a matrix whose columns are K: word j of row i goes to dst[i*ldd+j].
	rows func(dst []float32, ldd int, src []float32, lds, rows, cols int)
	// transpose packs the same, at most 16 rows of it: word j of row i goes to dst[j*ldd+i].
	transpose func(dst []float32, ldd int, src []float32, lds, rows, cols int)
	// prefetch may bring x, which is not empty, nearer.
	prefetch func(x []float32)
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
	left     []float32 // A in words, where all of it is packed at once: op(A)[i,k] is in left[i*rowStep+k/depth*colStep]
	rowStep  int
	colStep  int
	step     int // the depth of a block of K
	share    int // rows, or panels, of a task
}

// multiplyBF16 is multiply for operands that are rounded to bfloat16. A is packed tile by tile, for every block of
// columns again, into memory that stays in the first-level cache.
func (d *Device) multiplyBF16(p *product) {
	t := &d.ops.bf16
	t.MatMul, t.a, t.b, t.c = p.MatMul, p.a, p.b, p.c
	t.dev, t.set, t.kernels = d, p.set, p.set.bf16()
	blocks := (t.K + bf16BlockK - 1) / bf16BlockK
	t.step = ((t.K+blocks-1)/blocks + 31) &^ 31
	if t.M <= bf16ThinRows {
		t.thin()
	} else {
		t.wide()
	}
}

// wide packs a block of B with all workers, then gives each worker blocks of rows.
func (t *bf16Product) wide() {
	width := t.set.width
	for column := 0; column < t.N; column += bf16BlockN {
		t.cols = span{column, min(bf16BlockN, t.N-column)}
		panels := (t.cols.n + width - 1) / width
		for k := 0; k < t.K; k += t.step {
			t.ks = span{k, min(t.step, t.K-k)}
			t.panels = t.dev.shared.floats(slotPanels, panels*width*t.kernels.words(t.step))
			t.dev.each(panels, t.ks.n*width, bf16Packing{t})
			least := bf16TaskRows
			if t.TransA {
				least = bf16StripRows
			}
			t.share = least * max(1, bf16TaskFlops/2/(least*t.cols.n*t.ks.n))
			t.dev.pool.run((t.M+t.share-1)/t.share, bf16Rows{t})
		}
	}
}

// bf16Packing packs panels of the block of B.
type bf16Packing struct{ *bf16Product }

func (t bf16Packing) items(_, lo, hi int) {
	width := t.set.width
	for j := lo; j < hi; j++ {
		t.pack(t.panels[j*width*t.kernels.words(t.ks.n):], t.cols.from+j*width, min(width, t.cols.n-j*width), t.ks)
	}
}

// pack makes a panel of op(B)[ks, column:column+n].
func (t *bf16Product) pack(panel []float32, column, n int, ks span) {
	width := t.set.width
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
	height := tileRows
	if t.TransA {
		height = bf16StripRows
	}
	for row := from; row < to; row += height {
		if m := min(height, to-row); t.TransA {
			t.strips(s, row, m)
		} else {
			t.tile6(s, row, m)
		}
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

// tile6 computes m rows from row on, at most a tile.
func (t *bf16Product) tile6(s *scratch, row, m int) {
	stride := lines(t.kernels.words(t.ks.n)) + 16 // rows a power of two apart would share lines of the cache
	a := s.floats(slotStrips, tileRows*stride)
	t.kernels.rows(a, stride, t.a[row*t.StrideA+t.ks.from:], t.StrideA, m, t.ks.n)
	panels := (t.cols.n + t.set.width - 1) / t.set.width
	for j := range panels {
		for i := j * tileRows / panels; i < (j+1)*tileRows/panels; i++ {
			t.prefetchRow(row + tileRows + i)
		}
		t.tile(a, stride, 1, span{row, m}, t.cols, t.ks, t.panels, j)
	}
}

// prefetchRow asks for a row of A that the next tile packs.
func (t *bf16Product) prefetchRow(row int) {
	if row < t.M {
		t.kernels.prefetch(t.a[row*t.StrideA+t.ks.from:][:t.ks.n])
	}
}

// strips computes m rows from row on, at most bf16StripRows, of a transposed A.
func (t *bf16Product) strips(s *scratch, row, m int) {
	words := t.kernels.words(t.ks.n)
	pairs := s.floats(slotWords, bf16StripRows*words)
	t.kernels.columns(pairs, bf16StripRows, t.a[t.ks.from*t.StrideA+row:], t.StrideA, t.ks.n, m)
	if m < bf16StripRows {
		for i := 0; i < m; i += tileRows {
			t.tiles(pairs[i:], 1, bf16StripRows, span{row + i, min(tileRows, m-i)}, t.cols, t.ks, t.panels)
		}
		return
	}
	step := tileRows*words + 16
	strips := s.floats(slotStrips, 8*step)
	t.set.strips(strips, step, pairs, bf16StripRows, words)
	for i := range 8 {
		t.tiles(strips[i*step:], 1, tileRows, span{row + i*tileRows, tileRows}, t.cols, t.ks, t.panels)
	}
}

// tiles computes rows of C, at most a tile, panel by panel.
func (t *bf16Product) tiles(a []float32, rowStep, colStep int, rows, cols, ks span, panels []float32) {
	for j := range (cols.n + t.set.width - 1) / t.set.width {
		t.tile(a, rowStep, colStep, rows, cols, ks, panels, j)
	}
}

// tile computes rows of C in panel j.
func (t *bf16Product) tile(a []float32, rowStep, colStep int, rows, cols, ks span, panels []float32, j int) {
	width, words := t.set.width, t.kernels.words(ks.n)
	column := j * width
	t.kernels.tile(words, a, rowStep, colStep, panels[column*words:], t.c[rows.from*t.StrideC+cols.from+column:], t.StrideC,
		rows.n, min(width, cols.n-column), t.Alpha, ks.from > 0 || t.Beta != 0)
}

// thin packs the whole of A once, then gives each worker panels of columns, which it packs for itself.
func (t *bf16Product) thin() {
	width, words := t.set.width, t.kernels.words(t.K)
	t.rowStep, t.colStep = lines(words)+16, 1
	if t.TransA {
		t.rowStep, t.colStep = 1, lines(t.M)
		t.left = t.dev.shared.floats(slotWords, words*t.colStep)
		t.dev.each(words, t.kernels.depth*t.M, bf16LeftColumns{t})
	} else {
		t.left = t.dev.shared.floats(slotWords, t.M*t.rowStep)
		t.dev.each(t.M, t.K, bf16LeftRows{t})
	}
	t.share = max(1, bf16TaskFlops/2/(t.M*t.K*width))
	panels := (t.N + width - 1) / width
	t.dev.pool.run((panels+t.share-1)/t.share, bf16Panels{t})
}

// bf16LeftRows packs rows of A, bf16LeftColumns words of the columns of a transposed A.
type (
	bf16LeftRows    struct{ *bf16Product }
	bf16LeftColumns struct{ *bf16Product }
)

func (t bf16LeftRows) items(_, lo, hi int) {
	t.kernels.rows(t.left[lo*t.rowStep:], t.rowStep, t.a[lo*t.StrideA:], t.StrideA, hi-lo, t.K)
}

func (t bf16LeftColumns) items(_, lo, hi int) {
	from, to := lo*t.kernels.depth, min(t.K, hi*t.kernels.depth)
	for i := 0; i < t.M; i += 64 {
		t.kernels.columns(t.left[lo*t.colStep+i:], t.colStep, t.a[from*t.StrideA+i:], t.StrideA, to-from, min(64, t.M-i))
	}
}

// bf16Panels computes panels of C.
type bf16Panels struct{ *bf16Product }

func (t bf16Panels) block(worker, i int) {
	width := t.set.width
	panel := t.dev.scratch[worker].floats(slotPanels, width*t.kernels.words(t.step))
	for column := i * t.share * width; column < min(t.N, (i+1)*t.share*width); column += width {
		cols := span{column, min(width, t.N-column)}
		for k := 0; k < t.K; k += t.step {
			ks := span{k, min(t.step, t.K-k)}
			t.pack(panel, column, cols.n, ks)
			t.scaleOld(0, t.M, cols, ks)
			for row := 0; row < t.M; row += tileRows {
				a := t.left[row*t.rowStep+k/t.kernels.depth*t.colStep:]
				t.tiles(a, t.rowStep, t.colStep, span{row, min(tileRows, t.M-row)}, cols, ks, panel)
			}
		}
	}
}
