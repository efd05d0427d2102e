package tokenizer

import (
	"cmp"
	"slices"
)

const (
	seedLimit  = 1 << 20 // pieces that the training of a Unigram model starts with at most
	seedLength = 16      // characters of a seed
)

// seeds are the single bytes, then the strings of whole characters within words that occur at least twice, of which
// those that cover the most text are taken. The weight of each is how many bytes it covers.
func seeds(words []countedWord) []weighed {
	var found []weighed
	last := map[string]int64{} // the strings of one character less
	for length := 1; length <= seedLength; length++ {
		now := map[string]int64{}
		for _, w := range words {
			eachRun(w.text, length, func(s string, inner int) {
				if length == 1 || last[s[:inner]] >= fewest && last[s[runeLength(s[0]):]] >= fewest {
					now[s] += w.count
				}
			})
		}
		for s, n := range now {
			if n >= fewest && len(s) > 1 {
				found = append(found, weighed{s, float64(n) * float64(len(s))})
			}
		}
		last = now
	}
	slices.SortFunc(found, weighed.before)
	all := make([]weighed, 256, 256+len(found))
	for b := range all {
		all[b].text = string([]byte{byte(b)})
	}
	for _, w := range words {
		for i := range len(w.text) {
			all[w.text[i]].weight += float64(w.count)
		}
	}
	return append(all, found[:min(len(found), seedLimit)]...)
}

// eachRun calls do with each run of so many characters in a word, and where its last one starts.
func eachRun(word string, length int, do func(run string, inner int)) {
	starts := make([]int, 0, len(word)+1)
	for i := range word {
		starts = append(starts, i)
	}
	starts = append(starts, len(word))
	for i := 0; i+length < len(starts); i++ {
		do(word[starts[i]:starts[i+length]], starts[i+length-1]-starts[i])
	}
}

// weighed is a string with a weight.
type weighed struct {
	text   string
	weight float64
}

// before puts greater weights first, and of equal ones the string that sorts first.
func (a weighed) before(b weighed) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.text, b.text))
}
