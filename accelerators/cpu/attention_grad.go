package cpu

import "github.com/carebot-llm/carebot/accelerators"

// AttentionGrad overwrites dq, dk and dv, which are strided as q, k and v are. One worker does all queries of a
// sequence's key-value head, in order, as they add to the same dk and dv.
func (d *Device) AttentionGrad(dq, dk, dv, dout, out, lse, q, k, v accelerators.Buffer, s accelerators.Attention) {
	c := d.call("AttentionGrad")
	a := c.attention(q, k, v, s)
	a.dq, a.dk, a.dv = c.f32("dq", dq, len(a.q)), c.f32("dk", dk, len(a.k)), c.f32("dv", dv, len(a.v))
	a.out = c.f32("out", out, c.size(s.Tokens, s.Heads, s.HeadDim))
	a.dout = c.f32("dout", dout, len(a.out))
	a.lse = c.f32("lse", lse, c.size(s.Tokens, s.Heads))
	if !c.ok(attentionShape(s)) {
		return
	}
	sequences := a.sequences()
	d.runFunc(len(sequences), func(worker, i int) {
		if sequences[i].length > 0 {
			a.backward(&d.scratch[worker], sequences[i])
		}
	})
}

// keysValues are a sequence's keys and values as the backward products want them.
type keysValues struct{ keysT, valuesT, keys packed }

func (a *attention) backward(s *scratch, seq sequence) {
	n := seq.length
	p := keysValues{
		keysT:   a.packTransposed(s, slotKeysT, a.k, a.StrideK, seq, 0, n),
		valuesT: a.packTransposed(s, slotValues, a.v, a.StrideV, seq, 0, n),
		keys:    a.packRows(s, slotKeys, a.k[a.row(seq, 0, seq.kvHead, a.StrideK):], a.StrideK, 0, n),
	}
	for t := range n {
		clear(a.dk[a.row(seq, t, seq.kvHead, a.StrideK):][:a.HeadDim])
		clear(a.dv[a.row(seq, t, seq.kvHead, a.StrideV):][:a.HeadDim])
	}
	a.blocks(seq, 0, n, func(r queries) { a.backwardBlock(s, p, r) })
}

// backwardBlock: P = exp(S-lse), dP = dout v^T and dS = scale P (dP - sum(out*dout)) give dq = dS k, dk += dS^T q and
// dv += P^T dout.
func (a *attention) backwardBlock(s *scratch, p keysValues, r queries) {
	probs, grads := newScores(s, slotScores, r), newScores(s, slotGrads, r)
	a.product(probs, a.q, a.StrideQ, a.Scale, p.keysT)
	a.product(grads, a.dout, a.outStride, 1, p.valuesT)
	for t := r.from; t < r.to; t++ {
		w, g := probs.visible(a, t, r.first, r.end), grads.visible(a, t, r.first, r.end)
		at := a.row(r.sequence, t, r.head, a.outStride)
		mean := a.set.dot(a.out[at:at+a.HeadDim], a.dout[at:at+a.HeadDim])
		a.set.expSum(w, 1, a.lse[(r.start+t)*a.Heads+r.head])
		a.set.softmaxGrad(g, w, mean, a.Scale)
	}
	for q := r.from; q < r.to; q += tileRows {
		m := min(tileRows, r.to-q)
		lo, hi := a.firstKey(q), a.endKey(q+m-1, r.sequence)
		dq := a.dq[a.row(r.sequence, q, r.head, a.StrideQ):]
		a.sumRows(dq, a.StrideQ, m, weights{grads.at(q, lo), grads.stride, 1}, p.keys, span{lo, hi - lo}, false)
	}
	a.keyGrads(s, probs, grads)
}

func (a *attention) keyGrads(s *scratch, probs, grads scores) {
	r := probs.queries
	n := r.to - r.from
	qs := a.packRows(s, slotQueries, a.q[a.row(r.sequence, r.from, r.head, a.StrideQ):], a.StrideQ, r.from, n)
	douts := a.packRows(s, slotOuts, a.dout[a.row(r.sequence, r.from, r.head, a.outStride):], a.outStride, r.from, n)
	for key := r.first; key < r.end; key += tileRows {
		m := min(tileRows, r.end-key)
		from, to := r.from, r.to // the queries that see one of these keys
		if a.Causal {
			from = max(from, key)
		}
		if a.Window > 0 {
			to = min(to, key+m-1+a.Window)
		}
		if from >= to {
			continue
		}
		seeing := span{from, to - from}
		dk := a.dk[a.row(r.sequence, key, r.kvHead, a.StrideK):]
		dv := a.dv[a.row(r.sequence, key, r.kvHead, a.StrideV):]
		a.sumRows(dv, a.StrideV, m, weights{probs.at(from, key), 1, probs.stride}, douts, seeing, true)
		a.sumRows(dk, a.StrideK, m, weights{grads.at(from, key), 1, grads.stride}, qs, seeing, true)
	}
}
