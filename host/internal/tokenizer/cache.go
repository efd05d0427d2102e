package tokenizer

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync/atomic"
)

const (
	cacheSlots  = 1 << 16
	longestWord = 64 // bytes; longer words are rare and stay out, which bounds the cache to some 20 MB
)

// A cache is a model that remembers the tokens of words. Each word has one slot, by its hash, and the last one there
// stays. It is safe for concurrent use.
type cache struct {
	model model
	seed  maphash.Seed
	slots [cacheSlots]slot
	bytes [256]slot // of words of one byte, which need no hash
}

type slot = atomic.Pointer[cached]

type cached struct {
	word string
	ids  []int32
}

func newCache(m model) *cache { return &cache{model: m, seed: maphash.MakeSeed()} }

func (c *cache) encode(ids []int32, word string) []int32 {
	if len(word) > longestWord {
		return c.model.encode(ids, word)
	}
	slot := &c.bytes[word[0]]
	if len(word) > 1 {
		slot = &c.slots[maphash.String(c.seed, word)%cacheSlots]
	}
	if e := slot.Load(); e != nil && e.word == word {
		return append(ids, e.ids...)
	}
	from := len(ids)
	ids = c.model.encode(ids, word)
	// A slice of a document must not keep the whole document alive.
	slot.Store(&cached{strings.Clone(word), slices.Clone(ids[from:])})
	return ids
}
