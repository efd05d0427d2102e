package tokenizer

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
)

type countedWord struct {
	text  string
	count int64
}

// countWords lists the different words of the texts in the order of their first use.
func countWords(texts iter.Seq[string]) []countedWord {
	index := map[string]int{}
	var words []countedWord
	cut := handwritten[qwen2Pattern]
	for text := range texts {
		cut(strings.ToValidUTF8(text, "\uFFFD"), func(w string) {
			i, ok := index[w]
			if !ok {
				i = len(words)
				w = strings.Clone(w)
				index[w] = i
				words = append(words, countedWord{text: w})
			}
			words[i].count++
		})
	}
	return words
}

// gap stands in a corpus between words, and at places within a token that are neither its first nor its last.
const gap = -1

// A corpus holds the words in one row, a place for each byte and a gap around each word. The id of a token stands at
// its first and at its last place, so that from any token the next and the one before are found by length.
type corpus struct {
	row    []int32
	starts []int   // where words of another count begin, ascending
	counts []int64 // how often each of the words from there on occurs, descending
}

func newCorpus(words []countedWord) (*corpus, error) {
	slices.SortStableFunc(words, func(a, b countedWord) int { return cmp.Compare(b.count, a.count) })
	size := 1
	for _, w := range words {
		size += len(w.text) + 1
	}
	if size > math.MaxInt32 {
		return nil, fmt.Errorf("the different words have %d bytes, more than the limit of %d", size, math.MaxInt32)
	}
	var byteID [256]int32
	for i, b := range alphabetOrder() {
		byteID[b] = int32(len(specialTokens) + i)
	}
	c := &corpus{row: make([]int32, 1, size)}
	c.row[0] = gap
	for _, w := range words {
		if n := len(c.counts); n == 0 || c.counts[n-1] != w.count {
			c.starts, c.counts = append(c.starts, len(c.row)), append(c.counts, w.count)
		}
		for i := range len(w.text) {
			c.row = append(c.row, byteID[w.text[i]])
		}
		c.row = append(c.row, gap)
	}
	return c, nil
}

// counter returns a function that tells the count of the word at a place. It must be asked for places in ascending
// order.
func (c *corpus) counter() func(place int32) int64 {
	i := 0
	return func(place int32) int64 {
		for i+1 < len(c.starts) && c.starts[i+1] <= int(place) {
			i++
		}
		return c.counts[i]
	}
}

// joinAt joins left and right at a place, if they are still there.
func (c *corpus) joinAt(place, left, right, joined int32, length []int32) bool {
	middle := place + length[left]
	if c.row[place] != left || c.row[middle] != right {
		return false
	}
	c.row[middle-1], c.row[middle] = gap, gap
	c.row[place], c.row[middle+length[right]-1] = joined, joined
	return true
}
