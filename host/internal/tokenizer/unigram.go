package tokenizer

import "sync"

// unknownPenalty is how far the score of an unknown character lies below that of the least likely token.
const unknownPenalty = 10

// unigram cuts a piece into the tokens whose scores have the greatest sum. It is safe for concurrent use.
type unigram struct {
	trie    trie
	scores  []float64 // by id
	unknown int32
	penalty float64 // score of an unknown character
	bytes   *[256]int32

	// single rounds sums to float32 as SentencePiece does; Hugging Face's library does not.
	single bool
	// fused looks up a run of unknown characters as one token before it is given up as unknown, as Hugging Face's
	// library does.
	fused  bool
	spaces sync.Pool // of *lattice
}

// A lattice holds the best way to each byte of a piece.
type lattice struct {
	ends []pathEnd
	cuts []pathEnd
}

// A pathEnd is the last token of the best way to a place: it reaches from start to end.
type pathEnd struct {
	score      float64
	start, end int32 // start is -1 where no way has been found
	id         int32
}

func newUnigram() *unigram {
	u := &unigram{}
	u.spaces.New = func() any { return &lattice{} }
	return u
}

func (u *unigram) encode(ids []int32, piece string) []int32 {
	l := u.spaces.Get().(*lattice)
	u.search(l, piece)
	ids = u.collect(ids, l, piece)
	u.spaces.Put(l)
	return ids
}

// search finds the best way to each place. Of ways with one score the first found stays.
func (u *unigram) search(l *lattice, piece string) {
	l.ends = append(l.ends[:0], make([]pathEnd, len(piece)+1)...)
	for i := range l.ends {
		l.ends[i] = pathEnd{start: -1, end: int32(i)}
	}
	cells := u.trie.cells
	for at := 0; at < len(piece); {
		width := runeLength(piece[at])
		width = min(width, len(piece)-at)
		best, whole := l.ends[at].score, false
		node := int32(root)
		for i := at; i < len(piece); i++ {
			next := cells[node].base + int32(piece[i])
			if int(next) >= len(cells) || cells[next].parent != node {
				break
			}
			node = next
			id := cells[node].value
			if id < 0 {
				continue
			}
			u.reach(&l.ends[i+1], at, id, u.scores[id]+best)
			whole = whole || i+1-at == width
		}
		if !whole {
			u.reach(&l.ends[at+width], at, u.unknown, u.round(u.penalty+best))
		}
		at += width
	}
}

func (u *unigram) reach(end *pathEnd, start int, id int32, score float64) {
	if end.start < 0 || score > end.score {
		end.score, end.start, end.id = u.round(score), int32(start), id
	}
}

func (u *unigram) round(score float64) float64 {
	if u.single {
		return float64(float32(score))
	}
	return score
}

// collect appends the tokens of the best way to the end. Neighbouring unknown characters are one token, or bytes.
func (u *unigram) collect(ids []int32, l *lattice, piece string) []int32 {
	l.cuts = l.cuts[:0]
	for at := int32(len(piece)); at > 0; at = l.ends[at].start {
		l.cuts = append(l.cuts, l.ends[at])
	}
	for i := len(l.cuts) - 1; i >= 0; i-- {
		c := l.cuts[i]
		if c.id != u.unknown {
			ids = append(ids, c.id)
			continue
		}
		for i > 0 && l.cuts[i-1].id == u.unknown {
			i--
		}
		ids = u.strange(ids, piece[c.start:l.cuts[i].end])
	}
	return ids
}

// strange appends the tokens of a run of unknown characters.
func (u *unigram) strange(ids []int32, run string) []int32 {
	if u.fused {
		if id := u.trie.find(run); id >= 0 {
			return append(ids, id)
		}
	}
	if all, ok := byteTokens(ids, u.bytes, run); ok {
		return all
	}
	return append(ids, u.unknown)
}

// byteTokens appends the token of each byte; ok is false if there is no fallback or it lacks one.
func byteTokens(ids []int32, table *[256]int32, s string) (all []int32, ok bool) {
	if table == nil {
		return ids, false
	}
	all = ids
	for i := range len(s) {
		if table[s[i]] < 0 {
			return ids, false
		}
		all = append(all, table[s[i]])
	}
	return all, true
}

// runeLength is the length of the character that starts with byte b.
func runeLength(b byte) int {
	switch {
	case b < 0xc0:
		return 1
	case b < 0xe0:
		return 2
	case b < 0xf0:
		return 3
	}
	return 4
}
