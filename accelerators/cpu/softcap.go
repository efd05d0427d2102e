package cpu

// flatten is the first half of a soft cap, tanh(x/limit), in place; set.scale by the limit is the other. The gradient
// of both is that of tanh.
func (s *kernelSet) flatten(x []float32, limit float32) {
	s.scale(x, 1/limit)
	s.tanh(x, x)
}

// bend caps a tile's scores. What tanh gave goes to flat, row by row, unless that is nil.
func (a *attention) bend(b scores, t queryTile, flat []float32) {
	for q := t.queries.from; q < t.queries.to; q++ {
		row := b.at(q, t.keys.from)[:t.keys.n()]
		a.set.flatten(row, a.Cap)
		if flat != nil {
			copy(flatRow(flat, t, q), row)
		}
		a.set.scale(row, a.Cap)
	}
}

// straighten takes the gradient of a tile's scores back through the cap.
func (a *attention) straighten(b scores, t queryTile, flat []float32) {
	for q := t.queries.from; q < t.queries.to; q++ {
		row := b.at(q, t.keys.from)[:t.keys.n()]
		a.set.tanhGrad(row, row, flatRow(flat, t, q))
	}
}

func flatRow(flat []float32, t queryTile, q int) []float32 {
	return row(flat, q-t.queries.from, t.keys.n())
}
