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

// A cache remembers the tokens of words. Each word has one slot, by its hash, and the last one there stays. It is safe
// for concurrent use.
type cache struct {
	seed  maphash.Seed
	slots [cacheSlots]slot
}

type slot = atomic.Pointer[cached]

type cached struct {
	word string
	ids  []int32
}

func (c *cache) slot(word string) *slot {
	return &c.slots[maphash.String(c.seed, word)%cacheSlots]
}

func (c *cache) get(word string) ([]int32, bool) {
	if len(word) > longestWord {
		return nil, false
	}
	if e := c.slot(word).Load(); e != nil && e.word == word {
		return e.ids, true
	}
	return nil, false
}

// put copies word and ids: a slice of a document must not keep the whole document alive.
func (c *cache) put(word string, ids []int32) {
	if len(word) <= longestWord {
		c.slot(word).Store(&cached{strings.Clone(word), slices.Clone(ids)})
	}
}
