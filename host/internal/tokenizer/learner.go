package tokenizer

import "cmp"

// A learner joins pairs of tokens in a corpus.
type learner struct {
	corpus   *corpus
	spelling []string // of each token, in vocabulary characters
	length   []int32  // of each token, in bytes
	rules    []mergeRule
	pairs    map[uint64]*pairUses
	queue    heap[candidate]

	// What one join changes, by the token on the far side: (t, left) and (t, joined), (right, t) and (joined, t).
	before, after neighbours
}

// pairUses says how often a pair occurs, and where: the places of its left token in the corpus. Places that a later
// join has changed stay in the list, which ascends.
type pairUses struct {
	count  int64
	places []int32
}

// A candidate is a pair with the count it had when it was queued. A count that has fallen since is corrected when its
// turn comes.
type candidate struct {
	count       int64
	left, right int32
}

func (a candidate) goesBefore(b candidate) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	return cmp.Or(cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right)) < 0
}

func newLearner(c *corpus) *learner {
	l := &learner{corpus: c, rules: []mergeRule{}, pairs: map[uint64]*pairUses{}}
	l.queue.less = candidate.goesBefore
	for _, s := range specialTokens {
		l.addToken(s, 0)
	}
	for _, b := range alphabetOrder() {
		l.addToken(string(byteChar[b]), 1)
	}
	l.countPairs()
	return l
}

// addToken returns the id of a new token. No two joins spell the same: between two borders that no join has crossed,
// the same bytes have been joined in the same way everywhere.
func (l *learner) addToken(spelling string, length int32) int32 {
	l.spelling, l.length = append(l.spelling, spelling), append(l.length, length)
	l.before.grow()
	l.after.grow()
	return int32(len(l.spelling) - 1)
}

// countPairs finds the pairs of bytes.
func (l *learner) countPairs() {
	row, count := l.corpus.row, l.corpus.counter()
	first := int32(len(specialTokens))
	var table [256][256]*pairUses
	for place := 0; place+1 < len(row); place++ {
		left, right := row[place], row[place+1]
		if left == gap || right == gap {
			continue
		}
		uses := table[left-first][right-first]
		if uses == nil {
			uses = &pairUses{}
			table[left-first][right-first] = uses
			l.pairs[pairKey(left, right)] = uses
		}
		uses.count += count(int32(place))
		uses.places = append(uses.places, int32(place))
	}
	for key, uses := range l.pairs {
		l.queue.push(candidate{uses.count, int32(key >> 32), int32(uint32(key))})
	}
}

// step joins the best pair. It returns false when none is worth a token.
func (l *learner) step() bool {
	for {
		best, ok := l.queue.pop()
		if !ok {
			return false
		}
		uses := l.pairs[pairKey(best.left, best.right)]
		if uses == nil || uses.count < fewest {
			continue
		}
		if uses.count != best.count {
			best.count = uses.count
			l.queue.push(best)
			continue
		}
		delete(l.pairs, pairKey(best.left, best.right))
		l.join(best.left, best.right, uses.places)
		return true
	}
}

func (l *learner) join(left, right int32, places []int32) {
	l.rules = append(l.rules, mergeRule{l.spelling[left], l.spelling[right]})
	joined := l.addToken(l.spelling[left]+l.spelling[right], l.length[left]+l.length[right])
	count := l.corpus.counter()
	for _, place := range places {
		if l.corpus.joinAt(place, left, right, joined, l.length) {
			l.note(place, joined, count(place))
		}
	}
	// In a run of one token a pair can be gained and lost by the same join, so gains come first.
	l.before.each(func(t int32, n *neighbour) { l.gain(t, joined, n) })
	l.after.each(func(t int32, n *neighbour) { l.gain(joined, t, n) })
	l.before.each(func(t int32, n *neighbour) { l.lose(t, left, n.count) })
	l.after.each(func(t int32, n *neighbour) { l.lose(right, t, n.count) })
	l.before.reset()
	l.after.reset()
}

// note enters what a join at a place does to the pairs with the tokens around it.
func (l *learner) note(place, joined int32, count int64) {
	if t := l.corpus.row[place-1]; t != gap {
		l.before.add(t, place-l.length[t], count)
	}
	if t := l.corpus.row[place+l.length[joined]]; t != gap {
		l.after.add(t, place, count)
	}
}

// gain enters a pair with the token just made, which is new.
func (l *learner) gain(left, right int32, n *neighbour) {
	l.pairs[pairKey(left, right)] = &pairUses{n.count, n.places}
	l.queue.push(candidate{n.count, left, right})
}

// lose takes from a pair's count. The pair that is being joined is gone already: a run of one token loses some of it
// too.
func (l *learner) lose(left, right int32, count int64) {
	key := pairKey(left, right)
	uses := l.pairs[key]
	if uses == nil {
		return
	}
	if uses.count -= count; uses.count == 0 {
		delete(l.pairs, key)
	}
}

// neighbours collects, over one join, the tokens on one side of it.
type neighbours struct {
	by  []neighbour // by token
	met []int32
}

type neighbour struct {
	count  int64
	places []int32 // where the new pair is
}

func (n *neighbours) grow() { n.by = append(n.by, neighbour{}) }

func (n *neighbours) add(token, place int32, count int64) {
	e := &n.by[token]
	if e.count == 0 {
		n.met = append(n.met, token)
	}
	e.count += count
	e.places = append(e.places, place)
}

func (n *neighbours) each(do func(token int32, n *neighbour)) {
	for _, token := range n.met {
		do(token, &n.by[token])
	}
}

// reset gives the places away: the pairs have them now.
func (n *neighbours) reset() {
	for _, token := range n.met {
		n.by[token] = neighbour{}
	}
	n.met = n.met[:0]
}
