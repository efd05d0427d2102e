package cpu

import (
	"math"

	"github.com/carebot-llm/carebot/accelerators"
)

// attentionForward is the operation as the tasks of the forward pass.
type attentionForward attention

func (f *attentionForward) block(worker, i int) {
	(*attention)(f).forward(&f.d.scratch[worker], f.tasks[i])
}

func (a *attention) runForward() {
	a.listQueries()
	a.d.pool.run(len(a.tasks), (*attentionForward)(a))
}

// Keys are taken in blocks whose packed form stays in the second-level cache, and the scores of a tile of queries
// against them in the first. Blocks consist of whole tiles and panels.
const (
	blockUnit     = 192
	forwardKeys   = 4 * blockUnit
	forwardFloats = 48 << 10
)

func (a *attention) forwardBlock() int {
	return max(blockUnit, min(forwardKeys, forwardFloats/a.HeadDim/blockUnit*blockUnit))
}

// forward is the softmax over blocks of keys (Milakov and Gimelshein 2018): for each query the sum of the exponentials
// so far, less the largest score so far, and out as the sum that goes with it. Blocks end at multiples of their
// length, whatever the first key of the task: a result does not depend on what else is in the task.
func (a *attention) forward(s *scratch, t attentionTask) {
	tiles := (t.queries.n() + tileRows - 1) / tileRows
	states := s.floats(slotStates, len(softmaxState{})*a.group*tiles)
	step := a.forwardBlock()
	for from := a.firstKey(t); from < t.keys.to; {
		keys := interval{from, min(t.keys.to, (from/step+1)*step)}
		b := forwardBlock{attention: a, s: s, task: t, keys: keys}
		if a.Compute == accelerators.BF16 {
			(&roundedForward{forwardBlock: b}).run(states)
		} else {
			b.run(states)
		}
		from = keys.to
	}
}

// forwardBlock is a block of keys and the queries of a task.
type forwardBlock struct {
	*attention
	s             *scratch
	task          attentionTask
	keys          interval
	scores        scores
	keysT, values packed
}

func (b *forwardBlock) run(states []float32) {
	b.scores = newScores(b.s, slotScores, interval{0, tileRows}, b.keys)
	b.keysT = b.packTransposed(b.s, slotKeysT, b.k, b.StrideK, b.task, b.keys)
	b.values = b.packRows(b.s, slotValues, b.v, b.StrideV, b.task.sequence, b.task.kvHead, b.keys)
	for h := range b.group {
		t := queryTile{sequence: b.task.sequence, head: b.task.kvHead*b.group + h, queries: b.task.queries, keys: b.keys}
		b.eachTile(t, b.statesOf(states, h, t.queries.from), b.tile)
	}
}

// statesOf is the states from the tile of a head that begins with query q on.
func (b *forwardBlock) statesOf(states []float32, h, q int) []float32 {
	tiles := (b.task.queries.n() + tileRows - 1) / tileRows
	return states[(h*tiles+(q-b.task.queries.from)/tileRows)*len(softmaxState{}):]
}

// A tileStep does something with a tile of queries and the block's keys that it sees; all is the keys that it sees in
// other blocks too.
type tileStep func(t queryTile, all interval, state *softmaxState)

// eachTile is for every tile of t that sees keys of the block.
func (b *forwardBlock) eachTile(t queryTile, states []float32, step tileStep) {
	for queries := t.queries; queries.from < queries.to; queries.from += tileRows {
		t.queries = interval{queries.from, min(queries.to, queries.from+tileRows)}
		all := b.seen(t.queries, t.sequence)
		if t.keys = all.cut(b.keys); t.keys.n() > 0 {
			step(t, all, (*softmaxState)(states))
		}
		states = states[len(softmaxState{}):]
	}
}

// tile adds the block's keys to a tile of queries.
func (b *forwardBlock) tile(t queryTile, all interval, state *softmaxState) {
	b.scores.queries = t.queries
	b.product(b.scores, t, b.q, b.StrideQ, b.Scale, b.keysT)
	first := b.weigh(t, all, state)
	b.sumKeys(b.outOf(t), b.outStride, b.scores, t, b.values, !first)
	b.finish(t, all, state)
}

// outOf is out from the first of the queries on.
func (b *forwardBlock) outOf(t queryTile) []float32 {
	return b.out[b.row(t.sequence, t.queries.from, t.head, b.outStride):]
}

// weigh turns a tile's scores into weights that go with those of earlier blocks, and scales what these gave; first is
// whether there are none.
func (b *forwardBlock) weigh(t queryTile, all interval, state *softmaxState) (first bool) {
	if b.Cap > 0 {
		b.bend(b.scores, t, nil)
	}
	b.hide(b.scores, t, float32(math.Inf(-1)))
	x := b.scores.at(t.queries.from, t.keys.from)
	if t.keys.from == all.from {
		fill(state.tops(), float32(math.Inf(-1)))
		b.set.softmaxTile(x, b.scores.stride, t.keys.n(), state.tops(), state.sums())
		return true
	}
	before, out := *state, b.outOf(t)
	b.set.softmaxTile(x, b.scores.stride, t.keys.n(), state.tops(), state.sums())
	for i := range t.m() {
		if factor := state.add(&before, i); factor != 1 {
			b.set.scale(out[i*b.outStride:][:b.HeadDim], factor)
		}
	}
	return false
}

// finish divides by the sums and notes their logarithms when the block is the last of the tile's.
func (b *forwardBlock) finish(t queryTile, all interval, state *softmaxState) {
	if t.keys.to < all.to {
		return
	}
	out, at := b.outOf(t), (t.start+t.queries.from)*b.Heads+t.head
	for i := range t.m() {
		top, sum := state.tops()[i], state.sums()[i]
		b.set.scale(out[i*b.outStride:][:b.HeadDim], 1/sum)
		b.lse[at+i*b.Heads] = top + float32(math.Log(float64(sum)))
	}
}

// softmaxState is for each of a tile's queries the largest of the scores taken so far; then for each the sum of
// exp(score-top).
type softmaxState [2 * tileRows]float32

func (s *softmaxState) tops() []float32 { return s[:tileRows] }

func (s *softmaxState) sums() []float32 { return s[tileRows:] }

// add adds what was before to row i, and returns what the sum of exponentials before is to be multiplied by.
func (s *softmaxState) add(before *softmaxState, i int) (factor float32) {
	if s[i] == before[i] {
		factor = 1
	} else {
		factor = exp(before[i] - s[i])
	}
	s[tileRows+i] += before[tileRows+i] * factor
	return factor
}
