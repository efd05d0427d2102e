package cpu

import "github.com/carebot-llm/carebot/accelerators"

// roundedQueries is how many queries have scores at a time, a multiple of a tile: against a block of keys they stay in
// the second-level cache.
const roundedQueries = 16 * tileRows

// firstKey is where a task's first block of keys begins.
func (a *attention) firstKey(t attentionTask) int {
	if a.Compute == accelerators.BF16 {
		return t.keys.from / wholeWords * wholeWords
	}
	return t.keys.from
}

// roundedForward is a block of keys and the queries of a task.
type roundedForward struct {
	forwardBlock
	keysT  []float32
	values rounded
}

func (b *roundedForward) run(states []float32) {
	b.scores = newScores(b.s, slotScores, interval{0, roundedQueries}, b.keys)
	b.keysT = b.roundTransposed(b.s, slotKeysT, b.k, b.StrideK, b.task, b.keys)
	b.values = b.roundRows(b.s, slotValues, b.v, b.StrideV, b.task.sequence, b.task.kvHead, b.keys)
	for h := range b.group {
		t := queryTile{sequence: b.task.sequence, head: b.task.kvHead*b.group + h}
		for q := b.task.queries.from; q < b.task.queries.to; q += roundedQueries {
			t.queries = interval{q, min(b.task.queries.to, q+roundedQueries)}
			t.keys = b.values.whole(b.seen(t.queries, t.sequence).cut(b.keys))
			if t.keys.n() > 0 {
				b.sum(t, b.statesOf(states, h, q))
			}
		}
	}
}

// sum adds the block's keys to some queries; states are those of their tiles.
func (b *roundedForward) sum(t queryTile, states []float32) {
	b.scores.queries = t.queries
	out := b.outOf(t)
	b.ask(out, b.outStride, t.m())
	left, step := b.roundLeft(b.s, slotQueries, b.q, b.StrideQ, t.sequence, t.head, t.queries)
	b.roundedScores(b.s, b.scores, t, left, step, b.Scale, b.keysT, b.keys.from)
	b.eachTile(t, states, func(tile queryTile, all interval, state *softmaxState) {
		if first := b.weigh(tile, all, state); first {
			clearRows(b.outOf(tile), b.outStride, tile.m(), b.HeadDim)
		}
	})
	b.clearUnseen(b.scores, t)
	b.sumRounded(b.s, out, b.outStride, b.scores, t, b.values)
	b.eachTile(t, states, b.finish)
}
