package cpu

// A kernel for few rows of C serves at most fewRows of them, fewWidth columns at a time.
const (
	fewRows  = 4
	fewWidth = 16
)

// readAhead is how many elements early the kernels for few rows ask for rows of B, which come in the order in which
// they lie: enough for the way from memory, and no more than stays in the second-level cache.
const readAhead = 32 << 10

// isFew says whether the kernel set has a kernel for so few rows.
func (p *product) isFew() bool {
	return p.set.few != nil && p.M <= fewRows && p.K%4 == 0 && p.N >= fewWidth && p.TransB && !p.TransA
}

// few computes very few rows of C for a transposed B, as of a sequence that is generated alone. B, usually the weights,
// is read in place just once, and nothing is packed. What is left of the columns is a product of its own.
func (p *product) few() {
	whole := p.N / fewWidth * fewWidth
	p.inShares(whole, (*fewTask)(p))
	if rest := p.MatMul; whole < p.N {
		rest.N -= whole
		p.dev.multiply(p.c[whole:], p.a, p.b[whole*p.StrideB:], rest)
	}
}

// fewTask computes a worker's share of the groups.
type fewTask product

func (t *fewTask) block(_, i int) {
	t.shares.each(i, func(group int) { (*product)(t).fewColumns(group*t.group, t.N/fewWidth*fewWidth) })
}

// fewColumns computes a group of columns from the first on, as far as end.
func (p *product) fewColumns(first, end int) {
	for column := first; column < min(first+p.group, end); column += fewWidth {
		p.scaleOld(span{0, p.M}, span{column, fewWidth})
		for k := 0; k < p.K; k += p.step {
			n := min(p.step, p.K-k)
			p.set.few(n, p.b[column*p.StrideB+k:], p.StrideB, p.a[k:], p.StrideA,
				p.c[column:], p.StrideC, p.M, p.Alpha, k > 0 || p.Beta != 0, p.ahead(column*p.StrideB+k*fewWidth))
		}
	}
}

// ahead is what of B is wanted soon when what begins at an element is under way.
func (p *product) ahead(at int) []float32 { return p.b[min(len(p.b)-1, at+readAhead):] }
