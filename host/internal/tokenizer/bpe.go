package tokenizer

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// A merge joins two adjacent tokens into token id. The lowest rank goes first.
type merge struct{ rank, id int32 }

// bpe joins the letters of a piece, bytes or characters, into tokens. It is safe for concurrent use.
type bpe struct {
	spell  func(w *workspace, piece string) // gives the workspace the tokens of the letters
	merges map[uint64]merge                 // by pairKey
	whole  map[string]int32                 // pieces that are tokens at once, whatever the merges say; may be nil
	spaces sync.Pool                        // of *workspace
}

func newBPE(merges map[uint64]merge) *bpe {
	b := &bpe{merges: merges}
	b.spaces.New = func() any { return newWorkspace() }
	return b
}

func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

func (b *bpe) encode(ids []int32, piece string) []int32 {
	if id, ok := b.whole[piece]; ok {
		return append(ids, id)
	}
	w := b.spaces.Get().(*workspace)
	w.tokens = w.tokens[:0]
	b.spell(w, piece)
	ids = w.join(ids, b)
	b.spaces.Put(w)
	return ids
}

// A workspace holds a piece while it is encoded: a list of tokens, linked by index, and the merges possible in it. A
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

func (w *workspace) add(id int32) {
	i := int32(len(w.tokens))
	w.tokens = append(w.tokens, linked{id: id, prev: i - 1, next: i + 1})
}

// join merges the pair of lowest rank, the leftmost of them, until no pair has a merge.
func (w *workspace) join(ids []int32, b *bpe) []int32 {
	for i := range w.tokens {
		w.look(b, int32(i))
	}
	for {
		top, ok := w.queue.pop()
		if !ok {
			break
		}
		if left := int32(uint32(top)); w.tokens[left].merge.rank == int32(top>>32) {
			w.merge(b, left)
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

// merge joins token i with the next one.
func (w *workspace) merge(b *bpe, i int32) {
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

// byBytes spells a piece by its bytes.
func byBytes(table *[256]int32) func(*workspace, string) {
	return func(w *workspace, piece string) {
		for i := range len(piece) {
			w.add(table[piece[i]])
		}
	}
}

// letters spells a piece by its characters. One that is no token becomes its bytes if all of them are tokens, or
// unknown; without a token for the unknown it is left out.
type letters struct {
	tokens         map[string]int32
	prefix, suffix string // of the letters but the first, and of the last
	bytes          *[256]int32
	unknown        int32 // -1 if there is none
	fuse           bool  // neighbouring unknown letters are one
}

func (l *letters) spell(w *workspace, piece string) {
	unknowns := 0 // not yet entered
	flush := func() {
		for ; unknowns > 0; unknowns-- {
			w.add(l.unknown)
		}
	}
	for at := 0; at < len(piece); {
		_, n := utf8.DecodeRuneInString(piece[at:])
		letter := piece[at : at+n]
		if at > 0 && l.prefix != "" {
			letter = l.prefix + letter
		}
		if at += n; at == len(piece) && l.suffix != "" {
			letter += l.suffix
		}
		if id, ok := l.tokens[letter]; ok {
			flush()
			w.add(id)
		} else if !l.asBytes(w, letter) && l.unknown >= 0 && (unknowns == 0 || !l.fuse) {
			flush()
			unknowns = 1
		}
	}
	flush()
}

// asBytes does not enter an unknown letter that waits before it: the Hugging Face library puts it behind the bytes.
func (l *letters) asBytes(w *workspace, letter string) bool {
	if l.bytes == nil {
		return false
	}
	for i := range len(letter) {
		if l.bytes[letter[i]] < 0 {
			return false
		}
	}
	for i := range len(letter) {
		w.add(l.bytes[letter[i]])
	}
	return true
}

// marked is a model for texts that have not been cut into words: it cuts before each mark that does not follow another
// one, which changes no token if no token has a mark after another character.
type marked struct {
	model model
	mark  string
}

func (m *marked) encode(ids []int32, piece string) []int32 {
	for len(piece) > 0 {
		end := m.end(piece)
		ids = m.model.encode(ids, piece[:end])
		piece = piece[end:]
	}
	return ids
}

func (m *marked) end(piece string) int {
	at := 0
	for strings.HasPrefix(piece[at:], m.mark) {
		at += len(m.mark)
	}
	if n := strings.Index(piece[at:], m.mark); n >= 0 {
		return at + n
	}
	return len(piece)
}
