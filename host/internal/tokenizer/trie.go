package tokenizer

import (
	"cmp"
	"slices"
)

// A trie maps byte strings to values. It is a double array: the child of node n by byte b is base[n]+b, if that cell's
// parent is n. The zero trie holds nothing.
type trie struct{ cells []cell }

type cell struct {
	base, parent int32
	value        int32 // -1 where no key ends
}

const root, none = 0, -1

// child returns the node that byte b leads to, or none.
func (t *trie) child(node int32, b byte) int32 {
	next := t.cells[node].base + int32(b)
	if int(next) < len(t.cells) && t.cells[next].parent == node {
		return next
	}
	return none
}

// longest returns the length and the value of the longest key that text begins with; length 0 if there is none.
func (t *trie) longest(text string) (length int, value int32) {
	if len(t.cells) == 0 {
		return 0, none
	}
	node := int32(root)
	for i := range len(text) {
		if node = t.child(node, text[i]); node == none {
			break
		}
		if v := t.cells[node].value; v >= 0 {
			length, value = i+1, v
		}
	}
	return length, value
}

// find returns the value of a key, or none.
func (t *trie) find(key string) int32 {
	if n, value := t.longest(key); n == len(key) && n > 0 {
		return value
	}
	return none
}

// An entry is a key, which is not empty, with its value.
type entry struct {
	key   string
	value int32
}

// newTrie makes a trie of entries; of those with one key the last counts.
func newTrie(entries []entry) trie {
	sorted := slices.Clone(entries)
	slices.SortStableFunc(sorted, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	b := trieBuilder{keys: sorted, free: 256} // a base is not negative
	b.grow(257)
	b.cells[root].parent = root // never taken for free
	if len(sorted) > 0 {
		b.place(root, 0, len(sorted), 0)
	}
	return trie{b.cells}
}

// A trieBuilder fills the double array, parents before children. Cells below free are taken; below wide the free ones
// lie too far apart for nodes of several children.
type trieBuilder struct {
	keys       []entry
	cells      []cell
	free, wide int
}

func (b *trieBuilder) grow(size int) {
	for len(b.cells) < size {
		b.cells = append(b.cells, cell{parent: none, value: none})
	}
}

// branch is the keys from lo up to hi, which agree up to and with one byte.
type branch struct {
	label  byte
	lo, hi int
}

// place enters keys lo up to hi, which all begin with the depth bytes that lead to node.
func (b *trieBuilder) place(node int32, lo, hi, depth int) {
	for lo < hi && len(b.keys[lo].key) == depth {
		b.cells[node].value = b.keys[lo].value
		lo++
	}
	var branches []branch
	for i := lo; i < hi; i++ {
		label := b.keys[i].key[depth]
		if n := len(branches); n == 0 || branches[n-1].label != label {
			branches = append(branches, branch{label: label, lo: i})
		}
		branches[len(branches)-1].hi = i + 1
	}
	if len(branches) == 0 {
		return
	}
	base := b.room(branches)
	b.cells[node].base = int32(base)
	for _, br := range branches {
		b.cells[base+int(br.label)].parent = node
	}
	for _, br := range branches {
		b.place(int32(base+int(br.label)), br.lo, br.hi, depth+1)
	}
}

// searched is how many cells are looked at before the next search begins farther back.
const searched = 256

// room returns a base at which the cells of all branches are free.
func (b *trieBuilder) room(branches []branch) int {
	first := int(branches[0].label)
	b.grow(b.free + 1)
	for b.cells[b.free].parent != none {
		b.free++
		b.grow(b.free + 1)
	}
	at := b.free
	if len(branches) > 1 {
		at = max(at, b.wide)
	}
	for start := at; ; at++ {
		b.grow(at - first + 257)
		if b.cells[at].parent == none && b.fits(at-first, branches) {
			return at - first
		}
		if at-start == searched {
			b.wide, start = at, at
		}
	}
}

func (b *trieBuilder) fits(base int, branches []branch) bool {
	return !slices.ContainsFunc(branches, func(br branch) bool { return b.cells[base+int(br.label)].parent != none })
}
