package cpu

import "math"

// attentionForward is the operation as the tasks of the forward pass.
type attentionForward attention

func (f *attentionForward) block(worker, i int) {
	(*attention)(f).forward(&f.d.scratch[worker], f.tasks[i])
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
	states := s.floats(slotStates, 2*a.group*t.queries.n())
	step := a.forwardBlock()
	for from := t.keys.from; from < t.keys.to; {
		keys := interval{from, min(t.keys.to, (from/step+1)*step)}
		b := forwardBlock{
			attention: a, task: t, keys: keys, states: states,
			scores: newScores(s, slotScores, interval{0, tileRows}, keys),
			keysT:  a.packTransposed(s, slotKeysT, a.k, a.StrideK, t, keys),
			values: a.packRows(s, slotValues, a.v, a.StrideV, t.sequence, t.kvHead, keys),
		}
		for h := range a.group {
			b.head(h)
		}
		from = keys.to
	}
}

// forwardBlock is a block of keys and the queries of a task.
type forwardBlock struct {
	*attention
	task          attentionTask
	keys          interval
	states        []float32 // of each head and query the largest score and the sum
	scores        scores
	keysT, values packed
}

func (b *forwardBlock) head(h int) {
	t := queryTile{sequence: b.task.sequence, head: b.task.kvHead*b.group + h}
	states := b.states[2*h*b.task.queries.n():]
	for q := b.task.queries.from; q < b.task.queries.to; q += tileRows {
		t.queries = interval{q, min(b.task.queries.to, q+tileRows)}
		all := b.seen(t.queries, t.sequence)
		if t.keys = all.cut(b.keys); t.keys.n() > 0 {
			b.tile(t, all, states[2*(q-b.task.queries.from):])
		}
	}
}

// tile adds the block's keys to a tile of queries; all is the keys that it sees in other blocks too.
func (b *forwardBlock) tile(t queryTile, all interval, states []float32) {
	b.scores.queries = t.queries
	b.product(b.scores, t, b.q, b.StrideQ, b.Scale, b.keysT)
	out := b.out[b.row(t.sequence, t.queries.from, t.head, b.outStride):]
	first := t.keys.from == all.from
	for i := range t.m() {
		state := softmaxState{float32(math.Inf(-1)), 0}
		if !first {
			state = softmaxState{states[2*i], states[2*i+1]}
		}
		if factor := state.take(b.set, b.seenBy(b.scores, t, t.queries.from+i)); factor != 1 && !first {
			b.set.scale(out[i*b.outStride:][:b.HeadDim], factor)
		}
		states[2*i], states[2*i+1] = state.top, state.sum
	}
	b.sumKeys(out, b.outStride, b.scores, t, b.values, !first)
	if t.keys.to == all.to {
		b.finish(t, out, states)
	}
}

// finish divides by the sums and notes their logarithms.
func (b *forwardBlock) finish(t queryTile, out, states []float32) {
	for i := range t.m() {
		top, sum := states[2*i], states[2*i+1]
		b.set.scale(out[i*b.outStride:][:b.HeadDim], 1/sum)
		b.lse[(t.start+t.queries.from+i)*b.Heads+t.head] = top + float32(math.Log(float64(sum)))
	}
}

// softmaxState is the largest of the scores taken so far and the sum of exp(score-top).
type softmaxState struct{ top, sum float32 }

// take makes scores the exponentials of themselves less the largest of all, and returns what those taken before are to
// be multiplied by.
func (s *softmaxState) take(set *kernelSet, scores []float32) (factor float32) {
	if len(scores) == 0 {
		return 1
	}
	factor = 1
	if top := set.max(scores); top > s.top {
		factor = exp(s.top - top)
		s.top = top
	}
	shift := s.top
	if math.IsInf(float64(shift), -1) {
		shift = 0 // all weights are zero then, and not NaN
	}
	s.sum = s.sum*factor + set.expSum(scores, 1, shift)
	return factor
}
