package cpu

const (
	stripRows = 8 * tileRows // rows of a transposed A that are packed at a time
	leftRows  = 2048         // and at most so many before the tasks that take them
)

// blocked cuts C into rectangles, the tasks. The worker packs the columns of B that its rectangle needs, which then
// stay in its second-level cache while the rows of A pass: each tile of A, in the first-level cache, meets all panels.
func (p *product) blocked() {
	rows := p.M
	if p.TransA {
		rows = roundUp(evenly(p.M, leftRows), stripRows)
	}
	for row := 0; row < p.M; row += rows {
		p.rows = span{row, min(rows, p.M-row)}
		for k := 0; k < p.K; k += p.step {
			p.ks = span{k, min(p.step, p.K-k)}
			p.takeLeft()
			p.grid = p.cut()
			p.queues.fill(p.grid, p.dev.pool.threads)
			p.dev.pool.run(p.grid.tasks(), (*blockTask)(p))
		}
	}
}

// evenly is the size of the parts when n is cut into as few as possible of at most size.
func evenly(n, size int) int {
	parts := max(1, (n+size-1)/size)
	return (n + parts - 1) / parts
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// left is rows of op(A) within a block of K: element (i,k) of tile t is a[t*tileStep+i*rowStep+k*colStep].
type left struct {
	a                          []float32
	tileStep, rowStep, colStep int
}

// takeLeft prepares the rows of A: as they are, or room for strips of a transposed A. Read in place, each of its tiles
// would touch a cache line for every k and every panel.
func (p *product) takeLeft() {
	if !p.TransA {
		p.left = left{p.a[p.rows.from*p.StrideA+p.ks.from:], tileRows * p.StrideA, p.StrideA, 1}
		return
	}
	step := tileRows*p.ks.n + 16
	groups := roundUp(p.rows.n, stripRows) / stripRows
	p.left = left{p.dev.shared.floats(slotStrips, groups*stripRows/tileRows*step), step, 1, tileRows}
	p.strips.clear(groups)
}

// packStrips packs stripRows rows of a transposed A.
func (p *product) packStrips(worker, row int) {
	src, stride := p.a[p.ks.from*p.StrideA+p.rows.from+row:], p.StrideA
	if n := p.rows.n - row; n < stripRows { // the kernel reads them all
		whole := p.dev.scratch[worker].floats(slotStrips, p.ks.n*stripRows)
		copyRows(whole, stripRows, src, stride, p.ks.n, n)
		src, stride = whole, stripRows
	}
	p.set.strips(p.left.a[row/tileRows*p.left.tileStep:], p.left.tileStep, src, stride, p.ks.n)
}

// A grid is how C is cut into tasks: of so many panels and rows each, across and down.
type grid struct{ panels, rows, across, down int }

func (g grid) tasks() int { return g.across * g.down }

// The costs beside computing, in the time that a row takes with a panel.
const (
	panelCost = 24      // of packing a panel
	rowCost   = 1. / 3  // of a row's way to the core
	taskCost  = 4       // of a task
	taskFlops = 1 << 19 // less is no task of its own
)

// time is what the tasks take so many threads, of which each packs some column, and which in the end wait for half a
// task.
func (g grid) time(threads int) float64 {
	task := float64(g.panels*g.rows) + rowCost*float64(g.rows) + taskCost
	packing := float64(g.panels * panelCost * max(g.across, threads))
	return (task*float64(g.tasks())+packing)/float64(threads) + task/2
}

// cut chooses the grid: the panels of a task fit in the cache, and several threads have enough tasks that they end
// together.
func (p *product) cut() grid {
	threads, widest := p.dev.pool.threads, max(1, p.dev.blockBytes/(4*p.set.width*p.ks.n))
	best, most := p.gridOf(widest, p.rows.n), p.rows.n*p.N*p.ks.n/taskFlops
	if threads == 1 || most < 2 {
		return best
	}
	for rows := p.rows.n; rows >= p.unit(); rows /= 2 {
		for panels := widest; panels > 0; panels /= 2 {
			if g := p.gridOf(panels, rows); g.tasks() <= most && g.time(threads) < best.time(threads) {
				best = g
			}
		}
	}
	return best
}

// unit is what the rows of a task are a multiple of.
func (p *product) unit() int {
	if p.TransA {
		return stripRows
	}
	return tileRows
}

// gridOf is the grid whose tasks have at most so many panels and, but for the unit, rows.
func (p *product) gridOf(panels, rows int) grid {
	all := roundUp(p.N, p.set.width) / p.set.width
	panels, rows = evenly(all, panels), roundUp(evenly(p.rows.n, rows), p.unit())
	return grid{panels, rows, (all + panels - 1) / panels, (p.rows.n + rows - 1) / rows}
}

// blockTask computes a rectangle of C from a block of K. Which one a worker chooses itself.
type blockTask product

func (t *blockTask) block(worker, _ int) {
	p := (*product)(t)
	column, row, held := p.queues.take(worker)
	rows, cols := p.grid.rectangle(p, column, row)
	panels := p.dev.scratch[worker].floats(slotPanels, p.grid.panels*p.set.width*p.ks.n)
	if !held {
		p.pack(panels, cols)
	}
	p.scaleOld(rows, cols)
	if !p.TransA {
		p.tiles(rows, cols, panels)
		return
	}
	for i := 0; i < rows.n; i += stripRows {
		some := span{rows.from + i, min(stripRows, rows.n-i)}
		p.strips.need(p, worker, some.from-p.rows.from)
		p.tiles(some, cols, panels)
	}
}

// rectangle is the rows and columns of C of a task.
func (g grid) rectangle(p *product, column, row int) (rows, cols span) {
	row, column = row*g.rows, column*g.panels*p.set.width
	return span{p.rows.from + row, min(g.rows, p.rows.n-row)}, span{column, min(g.panels*p.set.width, p.N-column)}
}

// pack copies op(B)[ks, cols] into panels.
func (p *product) pack(panels []float32, cols span) {
	for j := 0; j < cols.n; j += p.set.width {
		panel, n := panels[j*p.ks.n:], min(p.set.width, cols.n-j)
		if p.TransB {
			packTransposed(p.set, panel, p.b[(cols.from+j)*p.StrideB+p.ks.from:], p.StrideB, n, p.ks.n)
		} else {
			packRows(p.set, panel, p.b[p.ks.from*p.StrideB+cols.from+j:], p.StrideB, n, p.ks.n)
		}
	}
}

// scaleOld multiplies what is in C by beta before the first block of K adds to it.
func (p *product) scaleOld(rows, cols span) {
	if p.ks.from > 0 || p.Beta == 0 || p.Beta == 1 {
		return
	}
	for i := range rows.n {
		p.scaleRow(rows.from+i, cols.from, cols.n)
	}
}

// tiles computes C[rows, cols] from a block of K.
func (p *product) tiles(rows, cols span, panels []float32) {
	l, add := p.left, p.ks.from > 0 || p.Beta != 0
	a := l.a[(rows.from-p.rows.from)/tileRows*l.tileStep:]
	for i := 0; i < rows.n; i += tileRows {
		c := p.c[(rows.from+i)*p.StrideC+cols.from:]
		for j := 0; j < cols.n; j += p.set.width {
			p.set.tile(p.ks.n, a, l.rowStep, l.colStep, panels[j*p.ks.n:], c[j:], p.StrideC,
				min(tileRows, rows.n-i), min(p.set.width, cols.n-j), p.Alpha, add)
		}
		a = a[min(len(a), l.tileStep):]
	}
}
