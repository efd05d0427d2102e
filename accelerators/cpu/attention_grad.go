package cpu

import "github.com/carebot-llm/carebot/accelerators"

// AttentionGrad overwrites dq, dk and dv, which are strided as q, k and v are.
func (d *Device) AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	c := d.call("AttentionGrad")
	a := c.attention(q, k, v, s)
	a.dq, a.dk, a.dv = c.f32("dq", dq, len(a.q)), c.f32("dk", dk, len(a.k)), c.f32("dv", dv, len(a.v))
	a.out = c.f32("out", out, c.size(s.Tokens, s.Heads, s.HeadDim))
	a.dout = c.f32("dout", dout, len(a.out))
	a.lse = c.f32("lse", lse, c.size(s.Tokens, s.Heads))
	if !passed(c, attentionShape(s)) {
		return
	}
	a.runBackward()
}

func (a *attention) runBackward() {
	a.means = a.d.shared.floats(slotMeans, len(a.lse))
	a.countWaves()
	a.d.each(a.Tokens, a.outStride, (*attentionMeans)(a))
	for wave := range a.waves {
		a.listWave(wave)
		a.d.pool.run(len(a.tasks), (*attentionBackward)(a))
	}
}

// attentionMeans is the operation as a pass over tokens: their means, and where several tasks add to a gradient, its
// zeros.
type attentionMeans attention

func (a *attentionMeans) items(worker, lo, hi int) {
	for t := lo; t < hi; t++ {
		out, dout := row(a.out, t, a.outStride), row(a.dout, t, a.outStride)
		if a.Compute == accelerators.BF16 {
			dout = roundedRow(a.d.scratch[worker].floats(slotRows, len(dout)), dout)
		}
		for h := range a.Heads {
			at := interval{h * a.HeadDim, (h + 1) * a.HeadDim}
			a.means[t*a.Heads+h] = a.set.dot(out[at.from:at.to], dout[at.from:at.to])
		}
		if a.waves > 1 {
			clear(a.dq[t*a.StrideQ:][:a.outStride])
			clear(a.dk[t*a.StrideK:][:a.KVHeads*a.HeadDim])
			clear(a.dv[t*a.StrideV:][:a.KVHeads*a.HeadDim])
		}
	}
}

// roundedRow is what products make of x. A mean is taken from gradients of P that are computed from rounded operands, and
// mostly from much that all of them share: it must have the same of it.
func roundedRow(to, x []float32) []float32 {
	for i, v := range x {
		to[i] = roundBF16(v)
	}
	return to
}

// attentionBackward is the operation as the tasks of one wave of the backward pass.
type attentionBackward attention

func (b *attentionBackward) block(worker, i int) {
	a, s := (*attention)(b), &b.d.scratch[worker]
	if a.Compute == accelerators.BF16 {
		a.backwardRounded(s, a.tasks[i])
	} else {
		a.backward(s, a.tasks[i])
	}
}

// Scores and their gradients of so many queries and keys stay in the second-level cache.
const (
	gradQueries = 192
	gradKeys    = blockUnit
)

// backward: P = exp(S-lse), dP = dout v^T and dS = scale P (dP - mean) give dq += dS k, dk += dS^T q and
// dv += P^T dout.
func (a *attention) backward(s *scratch, t attentionTask) {
	b := gradBlock{
		attention: a, s: s, task: t,
		keysT:   a.packTransposed(s, slotKeysT, a.k, a.StrideK, t, t.keys),
		valuesT: a.packTransposed(s, slotValues, a.v, a.StrideV, t, t.keys),
		rows:    a.packRows(s, slotKeys, a.k, a.StrideK, t.sequence, t.kvHead, t.keys),
	}
	for h := t.kvHead * a.group; h < (t.kvHead+1)*a.group; h++ {
		for q := t.queries.from; q < t.queries.to; q += gradQueries {
			b.run(h, interval{q, min(t.queries.to, q+gradQueries)})
		}
	}
}

// gradBlock is a block of queries of one head, and a block of the keys of a task.
type gradBlock struct {
	*attention
	s    *scratch
	task attentionTask

	keysT, valuesT, rows packed // all keys and values of the task

	head           int
	queries, keys  interval
	qs, douts      packed
	weights, grads scores // P and dS
}

func (b *gradBlock) run(head int, queries interval) {
	all := b.seen(queries, b.task.sequence).cut(b.task.keys)
	if all.n() <= 0 {
		return
	}
	b.head, b.queries = head, queries
	b.qs = b.packRows(b.s, slotQueries, b.q, b.StrideQ, b.task.sequence, head, queries)
	b.douts = b.packRows(b.s, slotOuts, b.dout, b.outStride, b.task.sequence, head, queries)
	for from := b.task.keys.from; from < all.to; from += gradKeys {
		b.keys = interval{from, min(b.task.keys.to, from+gradKeys)}
		if b.keys.to > all.from {
			b.weights = newScores(b.s, slotScores, queries, b.keys)
			b.grads = newScores(b.s, slotGrads, queries, b.keys)
			b.queryGrads()
			b.keyGrads()
		}
	}
}

func (b *gradBlock) queryGrads() {
	t := queryTile{sequence: b.task.sequence, head: b.head}
	for q := b.queries.from; q < b.queries.to; q += tileRows {
		t.queries = interval{q, min(b.queries.to, q+tileRows)}
		all := b.seen(t.queries, t.sequence)
		if t.keys = all.cut(b.keys); t.keys.n() <= 0 {
			continue
		}
		b.scoreGrads(t)
		dq := b.dq[b.row(t.sequence, q, t.head, b.StrideQ):]
		b.sumKeys(dq, b.StrideQ, b.grads, t, b.rows, b.waves > 1 || t.keys.from > all.from)
	}
}

// scoreGrads computes a tile of P and dS.
func (b *gradBlock) scoreGrads(t queryTile) {
	b.product(b.weights, t, b.q, b.StrideQ, b.Scale, b.keysT)
	b.product(b.grads, t, b.dout, b.outStride, 1, b.valuesT)
	b.softmaxGrad(b.s, b.weights, b.grads, t)
}

// softmaxGrad turns a tile of scores and of gradients of P into P and dS.
func (a *attention) softmaxGrad(s *scratch, weights, grads scores, t queryTile) {
	of := s.floats(slotStates, 2*tileRows)
	lse, means := of[:tileRows], of[tileRows:]
	at := (t.start+t.queries.from)*a.Heads + t.head
	for i := range t.m() {
		lse[i], means[i] = a.lse[at+i*a.Heads], a.means[at+i*a.Heads]
	}
	w, g := weights.at(t.queries.from, t.keys.from), grads.at(t.queries.from, t.keys.from)
	if a.Cap > 0 {
		flat := s.floats(slotFlat, t.m()*t.keys.n())
		a.bend(weights, t, flat)
		a.set.softmaxGradTile(w, g, weights.stride, t.keys.n(), lse, means, a.Scale)
		a.straighten(grads, t, flat)
	} else {
		a.set.softmaxGradTile(w, g, weights.stride, t.keys.n(), lse, means, a.Scale)
	}
	a.hide(weights, t, 0)
	a.hide(grads, t, 0)
}

func (b *gradBlock) keyGrads() {
	for key := b.keys.from; key < b.keys.to; key += tileRows {
		keys := interval{key, min(b.keys.to, key+tileRows)}
		seeing := b.seeing(key, b.task.sequence)
		queries := seeing.cut(b.queries)
		if queries.n() <= 0 {
			continue
		}
		add := b.waves > 1 || b.head%b.group > 0 || queries.from > seeing.from
		dk := b.dk[b.row(b.task.sequence, key, b.task.kvHead, b.StrideK):]
		dv := b.dv[b.row(b.task.sequence, key, b.task.kvHead, b.StrideV):]
		b.sumQueries(dv, b.StrideV, b.weights, keys, b.douts, queries, add)
		b.sumQueries(dk, b.StrideK, b.grads, keys, b.qs, queries, add)
	}
}

// sumQueries: out (+)= the transposed scores of a tile of keys times the rows of x; see sumKeys.
func (b *gradBlock) sumQueries(out []float32, stride int, s scores, keys interval, x packed, queries interval,
	add bool) {
	w := weights{s.at(queries.from, keys.from), 1, s.stride}
	if x.finite {
		b.sum(out, stride, keys.n(), w, x, queries, add)
		return
	}
	for i := range keys.n() {
		seers := b.seers(keys.from+i, b.task.sequence).cut(queries)
		b.sumOne(out[i*stride:], w.at(i, seers.from-queries.from), x, seers, add)
	}
}
