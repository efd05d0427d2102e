package cpu

// sharedRange is a range of keys and values of some heads, packed for tiles of queries.
type sharedRange struct {
	*decode
	decodeTask
	kv           int
	keys, values []float32
	scores, part []float32 // of a tile
}

// attendTogether is for several queries that see all of a range, and the heads that share keys and values number kv.
func (t *decode) attendTogether(s *scratch, r decodeTask, kv int) {
	width := t.d.set.width
	b := sharedRange{decode: t, decodeTask: r, kv: kv,
		keys:   s.floats(slotKeysT, roundUp(decodeRange, width)*t.HeadDim),
		values: s.floats(slotValues, roundUp(t.HeadDim, width)*decodeRange),
		scores: s.floats(slotScores, tileRows*scoreStride),
		part:   s.floats(slotSums, tileRows*t.HeadDim),
	}
	b.pack()
	for g := range t.group() {
		for q := 0; q < r.queries.n; q += tileRows {
			b.tile(span{r.queries.from + q, min(tileRows, r.queries.n-q)}, kv*t.group()+g)
		}
	}
}

// pack makes panels of the keys, transposed, and of the values.
func (b *sharedRange) pack() {
	set, width := b.d.set, b.d.set.width
	b.eachPage(func(at, n int) {
		keys, _ := b.rows(b.decodeTask, b.positions.from+at, 0)
		values, _ := b.rows(b.decodeTask, b.positions.from+at, 1)
		for j := 0; j < n; j += 16 {
			panel := b.keys[(at+j)/width*width*b.HeadDim+(at+j)%width:]
			set.transpose(panel, width, keys[j*b.stride()+b.kv*b.HeadDim:], b.stride(), 16, b.HeadDim)
		}
		for j := 0; j < b.HeadDim; j += width {
			panel := b.values[j*decodeRange+at*width:]
			packRows(set, panel, values[b.kv*b.HeadDim+j:], b.stride(), min(width, b.HeadDim-j), n)
		}
	})
}

// eachPage calls do for the parts of the range that lie on a page each.
func (b *sharedRange) eachPage(do func(at, n int)) {
	for at := 0; at < decodeRange; {
		n := min(decodeRange-at, b.PageSize-(b.positions.from+at)%b.PageSize)
		do(at, n)
		at += n
	}
}

// tile attends with a tile of queries of one head.
func (b *sharedRange) tile(queries span, head int) {
	set, width := b.d.set, b.d.set.width
	for j := 0; j < decodeRange; j += width {
		set.tile(b.HeadDim, b.query(queries.from, head), b.Heads*b.HeadDim, 1, b.keys[j*b.HeadDim:], b.scores[j:],
			scoreStride, queries.n, min(width, decodeRange-j), b.Scale, false)
	}
	for i := range queries.n {
		b.weigh(b.scores[i*scoreStride:][:decodeRange], b.mixOf(b.decodeTask, queries.from+i, head))
	}
	b.blendTile(queries.n)
	for i := range queries.n {
		copy(b.mixOf(b.decodeTask, queries.from+i, head)[2:], b.part[i*b.HeadDim:])
	}
}

// blendTile sums the values with the weights of a tile.
func (b *sharedRange) blendTile(queries int) {
	set, width := b.d.set, b.d.set.width
	b.eachPage(func(at, n int) {
		for j := 0; j < b.HeadDim; j += width {
			set.tile(n, b.scores[at:], scoreStride, 1, b.values[j*decodeRange+at*width:], b.part[j:], b.HeadDim,
				queries, min(width, b.HeadDim-j), 1, at > 0)
		}
	})
}
