package cpu

import "slices"

// Long sequences are cut into ranges. They are shorter when there are few sequences and heads, so that many threads
// find work, and never so short that packing costs much; that depends on the shape alone.
const (
	wantedTasks   = 32
	forwardLeast  = 192
	forwardMost   = 2048
	backwardLeast = 256
	backwardMost  = 1024
)

// attentionTask is some queries of a sequence, of all heads that share a key-value head, and the keys of these that it
// deals with.
type attentionTask struct {
	sequence
	kvHead        int
	queries, keys interval
}

// listSequences notes the sequences that have tokens.
func (a *attention) listSequences() {
	a.sequences, a.tasks = a.sequences[:0], a.tasks[:0]
	for i := range a.Sequences {
		if start, end := int(a.offsets[i]), int(a.offsets[i+1]); end > start {
			a.sequences = append(a.sequences, sequence{start, end - start})
		}
	}
	slices.SortStableFunc(a.sequences, longerFirst)
}

// longerFirst puts the large tasks first, so that all workers end at about the same time.
func longerFirst(a, b sequence) int { return b.length - a.length }

// ranges says into how many ranges of which length a sequence is cut, given the least and the greatest length.
func (a *attention) ranges(seq sequence, least, most int) (n, step int) {
	wanted := min(most, max(least, a.Tokens*a.KVHeads/wantedTasks))
	n = (seq.length + wanted - 1) / wanted
	step = (seq.length + n - 1) / n
	return n, (step + tileRows - 1) / tileRows * tileRows
}

// part is range number i of the sequence.
func (s sequence) part(i, step int) interval {
	return interval{min(s.length, i*step), min(s.length, (i+1)*step)}
}

// listQueries lists the tasks of the forward pass: ranges of queries with all keys that they see, the last ones, which
// may see the most, first.
func (a *attention) listQueries() {
	a.listSequences()
	for _, seq := range a.sequences {
		n, step := a.ranges(seq, forwardLeast, forwardMost)
		for i := n - 1; i >= 0; i-- {
			a.addTasks(seq, seq.part(i, step), interval{0, seq.length})
		}
	}
}

// addTasks adds a task for each key-value head, unless no query sees a key.
func (a *attention) addTasks(seq sequence, queries, keys interval) {
	if queries.n() <= 0 {
		return
	}
	keys = a.seen(queries, seq).cut(keys)
	if keys.n() <= 0 {
		return
	}
	for g := range a.KVHeads {
		a.tasks = append(a.tasks, attentionTask{seq, g, queries, keys})
	}
}

// countWaves: tasks of the backward pass are pairs of a range of queries and one of keys of the same sequence. All
// tasks of a wave differ in both, hence add to different gradients; the waves follow one another, which makes the
// order of the additions a fixed one.
func (a *attention) countWaves() {
	a.listSequences()
	a.waves = 0
	for _, seq := range a.sequences {
		n, _ := a.ranges(seq, backwardLeast, backwardMost)
		a.waves = max(a.waves, n)
	}
}

// listWave lists the tasks of one wave. Pairs of the same range come last: with causal attention they are half as
// large.
func (a *attention) listWave(wave int) {
	a.tasks = a.tasks[:0]
	for _, same := range [...]bool{false, true} {
		for _, seq := range a.sequences {
			n, step := a.ranges(seq, backwardLeast, backwardMost)
			for i := 0; i < n && wave < n; i++ {
				if j := (wave - i + n) % n; (i == j) == same {
					a.addTasks(seq, seq.part(i, step), seq.part(j, step))
				}
			}
		}
	}
}
