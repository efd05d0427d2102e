package cpu

// roundedGrad is gradBlock with products of rounded operands.
type roundedGrad struct {
	*attention
	s    *scratch
	task attentionTask

	keysT, valuesT []float32 // all keys and values of the task
	rows           rounded   // and the keys again

	leftQ, leftOut []float32 // the queries under way, and their output gradients
	step           int
	qs, douts      rounded
	weights, grads scores
}

// backwardRounded is backward.
func (a *attention) backwardRounded(s *scratch, t attentionTask) {
	b := roundedGrad{
		attention: a, s: s, task: t,
		keysT:   a.roundTransposed(s, slotKeysT, a.k, a.StrideK, t, t.keys),
		valuesT: a.roundTransposed(s, slotValues, a.v, a.StrideV, t, t.keys),
		rows:    a.roundRows(s, slotKeys, a.k, a.StrideK, t.sequence, t.kvHead, t.keys),
	}
	for h := t.kvHead * a.group; h < (t.kvHead+1)*a.group; h++ {
		for q := t.queries.from; q < t.queries.to; q += gradQueries {
			b.queries(queryTile{t.sequence, h, interval{q, min(t.queries.to, q+gradQueries)}, t.keys})
		}
	}
}

// queries does some queries against all keys of the task.
func (b *roundedGrad) queries(t queryTile) {
	all := b.seen(t.queries, t.sequence).cut(t.keys)
	if all.n() <= 0 {
		return
	}
	b.leftQ, b.step = b.roundLeft(b.s, slotQueries, b.q, b.StrideQ, t.sequence, t.head, t.queries)
	b.leftOut, _ = b.roundLeft(b.s, slotOuts, b.dout, b.outStride, t.sequence, t.head, t.queries)
	b.qs = b.roundRows(b.s, slotQueryRows, b.q, b.StrideQ, t.sequence, t.head, t.queries)
	b.douts = b.roundRows(b.s, slotOutRows, b.dout, b.outStride, t.sequence, t.head, t.queries)
	for from := t.keys.from; from < all.to; from += gradKeys {
		keys := interval{from, min(b.task.keys.to, from+gradKeys)}
		if keys.to > all.from {
			b.block(queryTile{t.sequence, t.head, t.queries, keys})
		}
	}
}

// block does some queries against some keys.
func (b *roundedGrad) block(t queryTile) {
	b.weights = newScores(b.s, slotScores, t.queries, t.keys)
	b.grads = newScores(b.s, slotGrads, t.queries, t.keys)
	dq := b.dq[b.row(t.sequence, t.queries.from, t.head, b.StrideQ):]
	dk := b.dk[b.row(t.sequence, t.keys.from, b.task.kvHead, b.StrideK):]
	dv := b.dv[b.row(t.sequence, t.keys.from, b.task.kvHead, b.StrideV):]
	at := (t.keys.from - b.task.keys.from) * b.headWords()
	b.roundedScores(b.s, b.weights, t, b.leftQ, b.step, b.Scale, b.keysT[at:], t.keys.from)
	b.roundedScores(b.s, b.grads, t, b.leftOut, b.step, 1, b.valuesT[at:], t.keys.from)
	b.scoreGrads(t)
	b.clearFirst(t)
	b.sumRounded(b.s, dq, b.StrideQ, b.grads, t, b.rows)
	b.sumTurned(b.s, dv, b.StrideV, b.weights, t, b.douts)
	b.sumTurned(b.s, dk, b.StrideK, b.grads, t, b.qs)
}

// scoreGrads computes P and dS of a block from its scores and the gradients of P.
func (b *roundedGrad) scoreGrads(t queryTile) {
	for q := t.queries.from; q < t.queries.to; q += tileRows {
		tile := t
		tile.queries = interval{q, min(t.queries.to, q+tileRows)}
		if tile.keys = b.seen(tile.queries, t.sequence).cut(t.keys); tile.keys.n() > 0 {
			b.softmaxGrad(b.s, b.weights, b.grads, tile)
		}
	}
	b.clearUnseen(b.weights, t)
	b.clearUnseen(b.grads, t)
}

// clearFirst sets gradients to zero that the block is the first to add to.
func (b *roundedGrad) clearFirst(t queryTile) {
	if b.waves > 1 {
		return
	}
	for q := t.queries.from; q < t.queries.to; q++ {
		if keys := b.visible(q, t.sequence); keys.from >= t.keys.from && keys.from < t.keys.to {
			clear(b.dq[b.row(t.sequence, q, t.head, b.StrideQ):][:b.HeadDim])
		}
	}
	if t.head%b.group > 0 {
		return
	}
	for key := t.keys.from; key < t.keys.to; key++ {
		if seers := b.seers(key, t.sequence); seers.from >= t.queries.from && seers.from < t.queries.to {
			clear(b.dk[b.row(t.sequence, key, b.task.kvHead, b.StrideK):][:b.HeadDim])
			clear(b.dv[b.row(t.sequence, key, b.task.kvHead, b.StrideV):][:b.HeadDim])
		}
	}
}
