package cpu

import "math"

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
	for from := t.keys.from; from < t.keys.to; {
		keys := interval{from, min(t.keys.to, (from/step+1)*step)}
		b := forwardBlock{
			attention: a, task: t, keys: keys,
			scores: newScores(s, slotScores, interval{0, tileRows}, keys),
			keysT:  a.packTransposed(s, slotKeysT, a.k, a.StrideK, t, keys),
			values: a.packRows(s, slotValues, a.v, a.StrideV, t.sequence, t.kvHead, keys),
		}
		for h := range a.group {
			b.head(t.kvHead*a.group+h, states[h*tiles*len(softmaxState{}):])
		}
		from = keys.to
	}
}

// forwardBlock is a block of keys and the queries of a task.
type forwardBlock struct {
	*attention
	task          attentionTask
	keys          interval
	scores        scores
	keysT, values packed
}

// head does the queries of one head; states are those of their tiles.
func (b *forwardBlock) head(h int, states []float32) {
	t := queryTile{sequence: b.task.sequence, head: h}
	for q := b.task.queries.from; q < b.task.queries.to; q += tileRows {
		t.queries = interval{q, min(b.task.queries.to, q+tileRows)}
		all := b.seen(t.queries, t.sequence)
		if t.keys = all.cut(b.keys); t.keys.n() > 0 {
			b.tile(t, all, (*softmaxState)(states))
		}
		states = states[len(softmaxState{}):]
	}
}

// tile adds the block's keys to a tile of queries; all is the keys that it sees in other blocks too.
func (b *forwardBlock) tile(t queryTile, all interval, state *softmaxState) {
	b.scores.queries = t.queries
	b.product(b.scores, t, b.q, b.StrideQ, b.Scale, b.keysT)
	if b.Cap > 0 {
		b.bend(b.scores, t, nil)
	}
	b.hide(b.scores, t, float32(math.Inf(-1)))
	x := b.scores.at(t.queries.from, t.keys.from)
	out := b.out[b.row(t.sequence, t.queries.from, t.head, b.outStride):]
	first := t.keys.from == all.from
	if first {
		fill(state.tops(), float32(math.Inf(-1)))
		b.set.softmaxTile(x, b.scores.stride, t.keys.n(), state.tops(), state.sums())
	} else {
		before := *state
		b.set.softmaxTile(x, b.scores.stride, t.keys.n(), state.tops(), state.sums())
		for i := range t.m() {
			if factor := state.add(&before, i); factor != 1 {
				b.set.scale(out[i*b.outStride:][:b.HeadDim], factor)
			}
		}
	}
	b.sumKeys(out, b.outStride, b.scores, t, b.values, !first)
	if t.keys.to == all.to {
		b.finish(t, out, state)
	}
}

// finish divides by the sums and notes their logarithms.
func (b *forwardBlock) finish(t queryTile, out []float32, state *softmaxState) {
	at := (t.start+t.queries.from)*b.Heads + t.head
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
