package cpu

// Attention whose products round their operands to bfloat16: queries, keys, values, weights and gradients. Softmax, sums
// and outputs stay f32. See bf16.go for words and panels.

// wholeWords is how many rows of K fill lines of words in every set: sums begin at multiples of it, so that a row has the
// same bits whatever else its task has.
const wholeWords = 32

// rounded is rows of one head in words, as the right-hand side of sums over them.
type rounded struct {
	interval           // which of the sequence
	words    []float32 // a panel after the other, each as long as whole lines
	x        []float32 // the rows as they are, stride apart
	stride   int
	finite   bool // whether all elements are; rows that are not count as zero in the words
}

// row is what row number i was rounded from.
func (r rounded) row(i, dim int) []float32 { return r.x[(i-r.from)*r.stride:][:dim] }

// isFinite says whether all elements of x are, and not so large that their square is not.
func (s *kernelSet) isFinite(x []float32) bool {
	square := s.dot(x, x)
	return square-square == 0
}

// headWords is how many words a head takes, in whole lines.
func (a *attention) headWords() int { return lines(a.halves.words(a.HeadDim)) }

// roundLeft packs rows of x, step apart, as left-hand side of scores.
func (a *attention) roundLeft(s *scratch, slot int, x []float32, stride int, seq sequence, head int,
	rows interval) (words []float32, step int) {
	step = a.headWords() + 16 // rows a power of two apart would share lines of the cache
	words, x = s.floats(slot, lines(rows.n())*step), x[a.row(seq, rows.from, head, stride):]
	a.ask(x, stride, rows.n())
	a.halves.rows(words, step, x, stride, rows.n(), a.HeadDim)
	return words, step
}

// roundTransposed packs rows of the sequence's keys or values as right-hand side of scores.
func (a *attention) roundTransposed(s *scratch, slot int, x []float32, stride int, t attentionTask,
	rows interval) []float32 {
	width, depth := a.halves.blocks.width, a.headWords()
	words := s.floats(slot, roundUp(rows.n(), width)*depth)
	a.ask(x[a.row(t.sequence, rows.from, t.kvHead, stride):], stride, rows.n())
	for j := 0; j < rows.n(); j += width {
		panel, n := words[j*depth:(j+width)*depth], min(width, rows.n()-j)
		clear(panel[a.halves.words(a.HeadDim)*width:])
		for i := 0; i < n; i += 16 {
			from := x[a.row(t.sequence, rows.from+j+i, t.kvHead, stride):]
			a.halves.transpose(panel[i:], width, from, stride, min(16, n-i), a.HeadDim)
		}
	}
	return words
}

// roundRows packs rows of one head of the sequence as right-hand side of sums over them.
func (a *attention) roundRows(s *scratch, slot int, x []float32, stride int, seq sequence, head int,
	rows interval) rounded {
	width, n := a.halves.blocks.width, rows.n()
	depth := lines(a.halves.words(n))
	r := rounded{rows, s.floats(slot, roundUp(a.HeadDim, width)*depth), x[a.row(seq, rows.from, head, stride):], stride, true}
	a.ask(r.x, stride, n)
	for i := rows.from; i < rows.to && r.finite; i++ {
		r.finite = a.set.isFinite(r.row(i, a.HeadDim))
	}
	if x = r.x; !r.finite {
		x, stride = a.finiteRows(s, r), a.HeadDim
	}
	for j := 0; j < a.HeadDim; j += width {
		panel := r.words[j*depth : (j+width)*depth]
		clear(panel[a.halves.words(n)*width:])
		a.halves.columns(panel, width, x[j:], stride, n, min(width, a.HeadDim-j))
	}
	return r
}

// finiteRows copies rows, side by side, with zeros for those that are not finite.
func (a *attention) finiteRows(s *scratch, r rounded) []float32 {
	x := s.floats(slotRows, r.n()*a.HeadDim)
	for i := r.from; i < r.to; i++ {
		if to, from := row(x, i-r.from, a.HeadDim), r.row(i, a.HeadDim); a.set.isFinite(from) {
			copy(to, from)
		} else {
			clear(to)
		}
	}
	return x
}

// multiplyRounded: out[m,n] (+)= alpha * w x for n columns, at most a panel's, of x.
func (a *attention) multiplyRounded(s *scratch, words int, w []float32, step int, panel, out []float32, stride, m, n int,
	alpha float32, add bool) {
	height := a.halves.blocks.height
	for i := 0; i < m; i += height {
		a.halves.multiply(a.set, s, words, w[i*step:], step, panel, out[i*stride:], stride, min(height, m-i), n, alpha, add)
	}
}

// roundedScores: scores = alpha * left keys^T, for pairs that see each other and some others. keys are packed from first
// on, which is where a panel begins in the scores as well.
func (a *attention) roundedScores(s *scratch, b scores, t queryTile, left []float32, step int, alpha float32,
	keys []float32, first int) {
	width, depth := a.halves.blocks.width, a.headWords()
	for j := (t.keys.from - first) / width * width; j < t.keys.to-first; j += width {
		columns := interval{first + j, min(t.keys.to, first+j+width)}
		rows := a.watching(columns, t.sequence).cut(t.queries)
		if rows.n() > 0 {
			a.multiplyRounded(s, a.halves.words(a.HeadDim), left[(rows.from-t.queries.from)*step:], step, keys[j*depth:],
				b.at(rows.from, columns.from), b.stride, rows.n(), columns.n(), alpha, false)
		}
	}
}

// watched is the keys from the first to the last that some of the queries see; watching is the other way round.
func (a *attention) watched(queries interval, seq sequence) interval {
	return interval{a.visible(queries.from, seq).from, a.visible(queries.to-1, seq).to}
}

func (a *attention) watching(keys interval, seq sequence) interval {
	return interval{a.seers(keys.from, seq).from, a.seers(keys.to-1, seq).to}
}

// whole begins with a line of the words of r.
func (r rounded) whole(i interval) interval {
	return interval{i.from - (i.from-r.from)%wholeWords, i.to}
}

// sumRows is how many queries are summed at a time, each time over the keys that they see; of keys it is turnedColumns.
const sumRows = 32

// sumRounded: out += the scores of the queries times the rows of x, which are keys; scores of other keys that one of
// sumRows queries sees are zero. out begins with the first query.
func (a *attention) sumRounded(s *scratch, out []float32, stride int, b scores, t queryTile, x rounded) {
	for q := t.queries.from; q < t.queries.to; q += sumRows {
		some := interval{q, min(t.queries.to, q+sumRows)}
		keys := x.whole(a.watched(some, t.sequence).cut(t.keys))
		if keys.n() > 0 {
			step := lines(a.halves.words(keys.n())) + 16
			w := s.floats(slotStrips, sumRows*step)
			a.halves.rows(w, step, b.at(q, keys.from), b.stride, some.n(), keys.n())
			a.sumWords(s, out[(q-t.queries.from)*stride:], stride, some.n(), w, step, x, keys)
		}
	}
	for key := t.keys.from; key < t.keys.to && !x.finite; key++ {
		if from := x.row(key, a.HeadDim); !a.set.isFinite(from) {
			seers := a.seers(key, t.sequence).cut(t.queries)
			for q := seers.from; q < seers.to; q++ {
				a.set.axpy(out[(q-t.queries.from)*stride:][:a.HeadDim], from, b.at(q, key)[0])
			}
		}
	}
}

// sumTurned: out += the transposed scores of the queries times the rows of x, which are queries. out begins with the
// first key.
func (a *attention) sumTurned(s *scratch, out []float32, stride int, b scores, t queryTile, x rounded) {
	for key := t.keys.from; key < t.keys.to; key += turnedColumns {
		some := interval{key, min(t.keys.to, key+turnedColumns)}
		queries := x.whole(a.watching(some, t.sequence).cut(t.queries))
		if queries.n() > 0 {
			step := lines(a.halves.words(queries.n())) + 16
			w := s.floats(slotStrips, turnedColumns*step)
			a.halves.turn(a.set, s, w, step, b.at(queries.from, key), b.stride, queries.n(), some.n())
			a.sumWords(s, out[(key-t.keys.from)*stride:], stride, some.n(), w, step, x, queries)
		}
	}
	for q := t.queries.from; q < t.queries.to && !x.finite; q++ {
		if from := x.row(q, a.HeadDim); !a.set.isFinite(from) {
			keys := a.visible(q, t.sequence).cut(t.keys)
			for key := keys.from; key < keys.to; key++ {
				a.set.axpy(out[(key-t.keys.from)*stride:][:a.HeadDim], from, b.at(q, key)[0])
			}
		}
	}
}

// sumWords: out[m,HeadDim] += w x for rows of x that begin with a line of words.
func (a *attention) sumWords(s *scratch, out []float32, stride, m int, w []float32, step int, x rounded, rows interval) {
	width, depth := a.halves.blocks.width, lines(a.halves.words(x.n()))
	at := (rows.from - x.from) / a.halves.depth * width
	for j := 0; j < a.HeadDim; j += width {
		a.multiplyRounded(s, a.halves.words(rows.n()), w, step, x.words[j*depth+at:], out[j:], stride, m,
			min(width, a.HeadDim-j), 1, true)
	}
}

// clearUnseen sets the scores of a block that its tiles of queries have left out to zero.
func (a *attention) clearUnseen(b scores, t queryTile) {
	for q := t.queries.from; q < t.queries.to; q++ {
		first := q - (q-t.queries.from)%tileRows
		seen := a.seen(interval{first, min(t.queries.to, first+tileRows)}, t.sequence).cut(t.keys)
		row := b.at(q, t.keys.from)[:t.keys.n()]
		clear(row[:seen.from-t.keys.from])
		clear(row[seen.to-t.keys.from:])
	}
}

func clearRows(x []float32, stride, rows, n int) {
	for i := range rows {
		clear(x[i*stride:][:n])
	}
}
