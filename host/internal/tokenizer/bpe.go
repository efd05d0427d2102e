package tokenizer

import "sync"

// A merge joins two adjacent tokens into token id. The lowest rank goes first.
type merge struct{ rank, id int32 }

// bpe encodes words: pieces of text after pre-tokenization. It is safe for concurrent use.
type bpe struct {
	bytes  [256]int32
	merges map[uint64]merge // by pairKey
	whole  map[string]int32 // words that are tokens at once, whatever the merges say; nil unless ignore_merges is set
	cache  cache
	spaces sync.Pool // of *workspace
}

func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// encode appends the tokens of a word that is not empty.
func (b *bpe) encode(ids []int32, word string) []int32 {
	if len(word) == 1 {
		return append(ids, b.bytes[word[0]])
	}
	if id, ok := b.whole[word]; ok {
		return append(ids, id)
	}
	if known, ok := b.cache.get(word); ok {
		return append(ids, known...)
	}
	from := len(ids)
	w := b.spaces.Get().(*workspace)
	ids = w.encode(ids, b, word)
	b.spaces.Put(w)
	b.cache.put(word, ids[from:])
	return ids
}

// A workspace holds a word while it is encoded: a list of tokens, linked by index, and the merges possible in it. A
// token that has been merged into the one before it keeps its place, without rank.
type workspace struct {
	tokens []linked
	queue  heap[uint64] // rank<<32 | index of the left token
}

type linked struct {
	id, prev, next int32
	merge          merge // with the next token; rank -1 when there is none
}

func newWorkspace() *workspace {
	return &workspace{queue: heap[uint64]{less: func(a, b uint64) bool { return a < b }}}
}

// encode merges the pair of lowest rank, the leftmost of them, until no pair has a merge.
func (w *workspace) encode(ids []int32, b *bpe, word string) []int32 {
	w.tokens = w.tokens[:0]
	for i := range len(word) {
		w.tokens = append(w.tokens, linked{id: b.bytes[word[i]], prev: int32(i) - 1, next: int32(i) + 1})
	}
	for i := range w.tokens {
		w.look(b, int32(i))
	}
	for {
		top, ok := w.queue.pop()
		if !ok {
			break
		}
		if left := int32(uint32(top)); w.tokens[left].merge.rank == int32(top>>32) {
			w.join(b, left)
		}
	}
	for i := 0; i < len(w.tokens); i = int(w.tokens[i].next) {
		ids = append(ids, w.tokens[i].id)
	}
	return ids
}

// look finds the merge of token i with the next one.
func (w *workspace) look(b *bpe, i int32) {
	t := &w.tokens[i]
	t.merge.rank = -1
	if int(t.next) == len(w.tokens) {
		return
	}
	if m, ok := b.merges[pairKey(t.id, w.tokens[t.next].id)]; ok {
		t.merge = m
		w.queue.push(uint64(m.rank)<<32 | uint64(uint32(i)))
	}
}

// join merges token i with the next one.
func (w *workspace) join(b *bpe, i int32) {
	t := &w.tokens[i]
	gone := &w.tokens[t.next]
	t.id, t.next = t.merge.id, gone.next
	gone.merge.rank = -1
	if int(t.next) < len(w.tokens) {
		w.tokens[t.next].prev = i
	}
	w.look(b, i)
	if t.prev >= 0 {
		w.look(b, t.prev)
	}
}
