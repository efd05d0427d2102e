package cpu

// thinWidth is how many columns a panel of a turned product has; the kernel sets' narrow tiles are as wide.
const thinWidth = 16

// turnedMost is how many rows of C are few: with more, packing B costs less than the narrow tiles lose.
const turnedMost = 64

// turnedRows is a multiple of every tile's height and of what one transposition writes.
const turnedRows = 48

// turned computes C^T = op(B)^T op(A)^T, for few rows of C and a transposed B, as in generation: B, usually the
// weights, is then the left-hand side, read in place just once, and what is packed is A.
func (p *product) turned() {
	p.panels = p.dev.shared.floats(slotPanels, p.turnedWidth()*p.K)
	for k := 0; k < p.K; k += p.step {
		for m := 0; m < p.M; m += thinWidth {
			p.packTurned(p.turnedPanel(m, k), span{m, min(thinWidth, p.M-m)}, span{k, min(p.step, p.K-k)})
		}
	}
	p.inShares(p.N, (*turnedTask)(p))
}

// inShares gives each worker a share of so many columns of C, in groups.
func (p *product) inShares(columns int, t task) {
	work := p.K * max(p.M, thinWidth) // with fewer rows the memory sets the pace
	p.group = turnedRows * max(1, taskFlops/2/(turnedRows*work))
	groups := (columns + p.group - 1) / p.group
	p.shares = p.dev.shares[:min(groups, len(p.dev.shares))]
	p.shares.deal(groups)
	p.dev.pool.run(len(p.shares), t)
}

// turnedWidth is the number of columns of all panels of op(A)^T.
func (p *product) turnedWidth() int { return (p.M + thinWidth - 1) / thinWidth * thinWidth }

// turnedPanel is the panel that starts with row m of C, in the block of K that starts with k.
func (p *product) turnedPanel(m, k int) []float32 {
	return p.panels[k*p.turnedWidth()+m*min(p.step, p.K-k):]
}

func (p *product) packTurned(panel []float32, rows, ks span) {
	if p.TransA {
		copyRows(panel, thinWidth, p.a[ks.from*p.StrideA+rows.from:], p.StrideA, ks.n, rows.n)
		return
	}
	p.set.transpose(panel, thinWidth, p.a[rows.from*p.StrideA+ks.from:], p.StrideA, rows.n, ks.n)
}

// turnedTask computes a worker's share of the groups.
type turnedTask product

func (t *turnedTask) block(worker, i int) {
	t.shares.each(i, func(group int) { (*product)(t).turnedGroup(worker, group) })
}

// turnedGroup computes columns of C, which are rows of its transpose.
func (p *product) turnedGroup(worker, i int) {
	cols := span{i * p.group, min(p.group, p.N-i*p.group)}
	width := p.turnedWidth()
	out := p.dev.scratch[worker].floats(slotTurned, cols.n*width)
	if p.Beta != 0 {
		p.turnIn(out, cols)
	}
	height := p.set.narrowRows
	for j := 0; j < cols.n; j += height {
		p.turnedRows(out[j*width:], span{cols.from + j, min(height, cols.n-j)})
	}
	p.turnOut(out, cols)
}

func (p *product) turnedRows(out []float32, cols span) {
	width := p.turnedWidth()
	for k := 0; k < p.K; k += p.step {
		left := p.b[cols.from*p.StrideB+k:]
		for m := 0; m < p.M; m += thinWidth {
			p.set.narrow(min(p.step, p.K-k), left, p.StrideB, 1, p.turnedPanel(m, k), out[m:], width,
				cols.n, min(thinWidth, p.M-m), p.Alpha, k > 0 || p.Beta != 0)
		}
	}
}

// turnIn sets out to the transpose of beta*C.
func (p *product) turnIn(out []float32, cols span) {
	width := p.turnedWidth()
	for m := range p.M {
		for j, v := range p.c[m*p.StrideC+cols.from:][:cols.n] {
			out[j*width+m] = p.Beta * v
		}
	}
}

// turnOut sets C to the transpose of out.
func (p *product) turnOut(out []float32, cols span) {
	width := p.turnedWidth()
	whole := cols.n &^ 15
	for m := 0; m < p.M; m += thinWidth {
		for j := 0; j < whole; j += 16 {
			p.set.transpose(p.c[m*p.StrideC+cols.from+j:], p.StrideC, out[j*width+m:], width, 16, min(thinWidth, p.M-m))
		}
	}
	for m := range p.M {
		c := p.c[m*p.StrideC+cols.from:][:cols.n]
		for j := whole; j < cols.n; j++ {
			c[j] = out[j*width+m]
		}
	}
}
