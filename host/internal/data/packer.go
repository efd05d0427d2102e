package data

// openRows bounds the rows that a packer fills at the same time. More rows waste fewer positions, but move sequences
// further from where they were drawn, and so from the shares of a mix.
const openRows = 32

// A packer puts sequences into rows of at most width positions: each into the open row that it fills best. When a new
// row must be opened and there are openRows, the fullest is closed: of the four simple rules (first or best fit, oldest
// or fullest closed) this one wastes least, 1 to 3 % where lengths are mixed.
type packer struct {
	width int32
	open  []openRow
	rows  rowList
}

type openRow struct {
	sequences []int32
	used      int32
}

// A rowList holds the sequences of rows one after the other: those of row i begin at starts[i].
type rowList struct {
	sequences []int32
	starts    []int64
}

func (l *rowList) len() int { return len(l.starts) }

func (l *rowList) add(sequences ...int32) {
	l.starts = append(l.starts, int64(len(l.sequences)))
	l.sequences = append(l.sequences, sequences...)
}

// row returns the sequences of rows [from,to).
func (l *rowList) row(from, to int) []int32 {
	end := int64(len(l.sequences))
	if to < len(l.starts) {
		end = l.starts[to]
	}
	return l.sequences[l.starts[from]:end]
}

// add packs a sequence.
func (p *packer) add(sequence, length int32) {
	best := -1
	for i, row := range p.open {
		if row.used+length <= p.width && (best < 0 || row.used > p.open[best].used) {
			best = i
		}
	}
	if best < 0 {
		if len(p.open) == openRows {
			p.close(p.fullest())
		}
		best = len(p.open)
		p.open = append(p.open, openRow{})
	}
	row := &p.open[best]
	row.sequences = append(row.sequences, sequence)
	if row.used += length; row.used == p.width {
		p.close(best)
	}
}

func (p *packer) fullest() int {
	most := 0
	for i, row := range p.open {
		if row.used > p.open[most].used {
			most = i
		}
	}
	return most
}

func (p *packer) close(i int) {
	p.rows.add(p.open[i].sequences...)
	p.open = append(p.open[:i], p.open[i+1:]...)
}

// flush closes all rows.
func (p *packer) flush() {
	for len(p.open) > 0 {
		p.close(0)
	}
}

// cut keeps the first n rows.
func (l *rowList) cut(n int) {
	if n < len(l.starts) {
		l.sequences = l.sequences[:l.starts[n]]
		l.starts = l.starts[:n]
	}
}
