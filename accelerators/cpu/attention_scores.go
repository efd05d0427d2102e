package cpu

// packed is rows of HeadDim elements, n of them from first on, as the right-hand side of products.
type packed struct {
	x        []float32
	first, n int
	finite   bool // of packRows: whether all elements are
}

// ask has rows of one head brought nearer before they are packed: the processor does not foresee the way from one to the
// next.
func (a *attention) ask(x []float32, stride, rows int) {
	for i := range rows {
		a.set.prefetch(x[i*stride:][:a.HeadDim])
	}
}

// packTransposed packs rows of the sequence's keys or values as right-hand side of scores.
func (a *attention) packTransposed(s *scratch, slot int, x []float32, stride int, t attentionTask,
	rows interval) packed {
	width := a.set.width
	dst := s.floats(slot, (rows.n()+width-1)/width*width*a.HeadDim)
	a.ask(x[a.row(t.sequence, rows.from, t.kvHead, stride):], stride, rows.n())
	for j := rows.from; j < rows.to; j += width {
		from := x[a.row(t.sequence, j, t.kvHead, stride):]
		packTransposed(a.set, dst[(j-rows.from)*a.HeadDim:], from, stride, min(width, rows.to-j), a.HeadDim)
	}
	return packed{x: dst, first: rows.from, n: rows.n()}
}

// packRows packs rows of one head of the sequence as right-hand side of sums over them.
func (a *attention) packRows(s *scratch, slot int, x []float32, stride int, seq sequence, head int,
	rows interval) packed {
	width, n := a.set.width, rows.n()
	dst := s.floats(slot, (a.HeadDim+width-1)/width*width*n)
	x = x[a.row(seq, rows.from, head, stride):]
	a.ask(x, stride, n)
	for j := 0; j < a.HeadDim; j += width {
		panel, columns := dst[j*n:(j+width)*n], min(width, a.HeadDim-j)
		if columns < width {
			clear(panel)
		}
		packRows(a.set, panel, x[j:], stride, columns, n)
	}
	square := a.set.dot(dst, dst)
	return packed{dst, rows.from, n, square-square == 0}
}

// weights are the left-hand side of a sum over rows, row i and column j at i*rowStep + j*colStep.
type weights struct {
	x                []float32
	rowStep, colStep int
}

func (w weights) at(i, j int) weights {
	return weights{w.x[i*w.rowStep+j*w.colStep:], w.rowStep, w.colStep}
}

// sum: out[m,HeadDim] (+)= w[m,rows] x[rows,HeadDim].
func (a *attention) sum(out []float32, stride, m int, w weights, x packed, rows interval, add bool) {
	width := a.set.width
	for j := 0; j < a.HeadDim; j += width {
		panel := x.x[j*x.n+(rows.from-x.first)*width:]
		a.set.tile(rows.n(), w.x, w.rowStep, w.colStep, panel, out[j:], stride, m, min(width, a.HeadDim-j), 1, add)
	}
}

// scores holds a number for each query and key of a block.
type scores struct {
	x      []float32
	stride int
	queries,
	keys interval
}

// newScores has room for whole tiles of queries. The stride is not a power of two, which would crowd the caches.
func newScores(s *scratch, slot int, queries, keys interval) scores {
	stride := (keys.n()+15)&^15 + 16
	rows := (queries.n() + tileRows - 1) / tileRows * tileRows
	return scores{s.floats(slot, rows*stride), stride, queries, keys}
}

func (b scores) at(query, key int) []float32 {
	return b.x[(query-b.queries.from)*b.stride+key-b.keys.from:]
}

// queryTile is at most tileRows queries of one head, and the keys in a block that some of them see.
type queryTile struct {
	sequence
	head          int
	queries, keys interval
}

func (t queryTile) m() int { return t.queries.n() }

// product: the tile's scores = alpha * x keys^T. The rows of x are the queries', those of keys packed transposed, and
// those of scores begin where a panel of keys does.
func (a *attention) product(b scores, t queryTile, x []float32, stride int, alpha float32, keys packed) {
	width, from, end := a.set.width, t.keys.from-keys.first, t.keys.to-keys.first
	row := x[a.row(t.sequence, t.queries.from, t.head, stride):]
	for j := from / width * width; j < end; j += width {
		skip := max(0, from-j) &^ 15 // whole vectors of keys that none of the queries sees
		c, n := b.at(t.queries.from, keys.first+j+skip), min(width, end-j)-skip
		a.set.tile(a.HeadDim, row, stride, 1, keys.x[j*a.HeadDim+skip:], c, b.stride, t.m(), n, alpha, false)
	}
}

// hide sets the scores of the tile's keys that a query does not see.
func (a *attention) hide(b scores, t queryTile, value float32) {
	first, last := a.visible(t.queries.from, t.sequence), a.visible(t.queries.to-1, t.sequence)
	if first.to >= t.keys.to && last.from <= t.keys.from {
		return
	}
	for q := t.queries.from; q < t.queries.to; q++ {
		keys := a.visible(q, t.sequence).cut(t.keys)
		row := b.at(q, t.keys.from)[:t.keys.n()]
		fill(row[:keys.from-t.keys.from], value)
		fill(row[keys.to-t.keys.from:], value)
	}
}

// sumKeys: out (+)= the tile's scores times the rows of x. Where x has an infinity or NaN, a score of zero does not
// keep it out, so each query takes the keys that it sees only.
func (a *attention) sumKeys(out []float32, stride int, b scores, t queryTile, x packed, add bool) {
	w := weights{b.at(t.queries.from, t.keys.from), b.stride, 1}
	if x.finite {
		a.sum(out, stride, t.m(), w, x, t.keys, add)
		return
	}
	for i := range t.m() {
		keys := a.visible(t.queries.from+i, t.sequence).cut(t.keys)
		a.sumOne(out[i*stride:], w.at(i, keys.from-t.keys.from), x, keys, add)
	}
}

// sumOne is sum for one row, of perhaps nothing.
func (a *attention) sumOne(out []float32, w weights, x packed, rows interval, add bool) {
	switch {
	case rows.n() > 0:
		a.sum(out, a.HeadDim, 1, w, x, rows, add)
	case !add:
		clear(out[:a.HeadDim])
	}
}
