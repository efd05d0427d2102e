package tokenizer

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"sync"
)

// TrainUnigram learns a vocabulary from texts as Train does, with the same special tokens and the same cutting into
// words, but of a Unigram model: tokens whose probabilities make the texts likely. It starts with frequent strings of
// whole characters, fits their probabilities (expectation maximisation), drops those whose loss costs least, and so on
// until vocab tokens are left. The 256 bytes stay, so every text has tokens. The result depends neither on the order of
// the texts nor on the number of processors.
func TrainUnigram(texts iter.Seq[string], vocab int) (*Tokenizer, error) {
	least := len(specialTokens) + 256
	if vocab < least || vocab > vocabLimit {
		return nil, fmt.Errorf("train tokenizer: a vocabulary of %d is not between %d and %d", vocab, least, vocabLimit)
	}
	words := countWords(texts)
	slices.SortFunc(words, func(a, b countedWord) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.text, b.text))
	})
	e := newEstimator(words)
	for target := vocab - len(specialTokens); ; {
		for range roundsOfEM {
			e.fit(e.expect())
		}
		if len(e.pieces) <= target {
			break
		}
		e.prune(max(target, len(e.pieces)*3/4))
	}
	f, err := tokenizerFiles(e.model())
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	return assemble(f)
}

// roundsOfEM is how often probabilities are fitted between prunings.
const roundsOfEM = 2

// An estimator fits the probabilities of pieces to words.
type estimator struct {
	words  []countedWord
	pieces []weighed // the single bytes first; weights are logarithms of probabilities
	counts []float64 // how often each is expected in the words, by the last round
	trie   trie      // values are indices of pieces
}

func newEstimator(words []countedWord) *estimator {
	e := &estimator{words: words, pieces: seeds(words)}
	counts := make([]float64, len(e.pieces))
	for i, p := range e.pieces {
		counts[i] = p.weight
	}
	e.index()
	e.fit(counts)
	return e
}

func (e *estimator) index() {
	entries := make([]entry, len(e.pieces))
	for i, p := range e.pieces {
		entries[i] = entry{p.text, int32(i)}
	}
	e.trie = newTrie(entries)
}

// fit takes the probabilities from counts. Digamma in place of the logarithm, as in variational inference, makes the
// rare pieces rarer; a piece that is hardly expected counts half.
func (e *estimator) fit(counts []float64) {
	sum := 0.0
	for i := range counts {
		counts[i] = max(counts[i], 0.5)
		sum += counts[i]
	}
	for i := range counts {
		e.pieces[i].weight = digamma(counts[i]) - digamma(sum)
	}
	e.counts = counts
}

// shards is how many parts the words are divided into. Their sums are added in order, so that rounding does not depend
// on the number of processors.
const shards = 16

// expect counts how often each piece is expected, over all ways to cut each word.
func (e *estimator) expect() []float64 {
	var parts [shards][]float64
	var group sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for s := range next {
				parts[s] = e.expectPart(s)
			}
		})
	}
	for s := range shards {
		next <- s
	}
	close(next)
	group.Wait()
	counts := parts[0]
	for _, part := range parts[1:] {
		for i, n := range part {
			counts[i] += n
		}
	}
	return counts
}

func (e *estimator) expectPart(shard int) []float64 {
	counts := make([]float64, len(e.pieces))
	var f forward
	for i := shard; i < len(e.words); i += shards {
		f.count(e, e.words[i], counts)
	}
	return counts
}

// edge is a piece within a word.
type edge struct{ from, to, piece int32 }

// forward is the lattice of a word, with the logarithm of the probability of each place from the left and the right.
type forward struct {
	edges       []edge
	left, right []float64
}

// count adds the expected pieces of a word.
func (f *forward) count(e *estimator, w countedWord, counts []float64) {
	f.lay(&e.trie, w.text)
	n := len(w.text)
	f.left, f.right = reset(f.left, n+1), reset(f.right, n+1)
	f.left[0], f.right[n] = 0, 0
	for _, g := range f.edges {
		f.left[g.to] = addLogs(f.left[g.to], f.left[g.from]+e.pieces[g.piece].weight)
	}
	for _, g := range slices.Backward(f.edges) {
		f.right[g.from] = addLogs(f.right[g.from], f.right[g.to]+e.pieces[g.piece].weight)
	}
	for _, g := range f.edges {
		p := math.Exp(f.left[g.from] + e.pieces[g.piece].weight + f.right[g.to] - f.left[n])
		counts[g.piece] += p * float64(w.count)
	}
}

// lay finds all pieces in a word, in the order of their starts.
func (f *forward) lay(t *trie, word string) {
	f.edges = f.edges[:0]
	for at := range len(word) {
		node := int32(root)
		for i := at; i < len(word); i++ {
			if node = t.child(node, word[i]); node == none {
				break
			}
			if piece := t.cells[node].value; piece >= 0 {
				f.edges = append(f.edges, edge{int32(at), int32(i + 1), piece})
			}
		}
	}
}

func reset(logs []float64, n int) []float64 {
	logs = slices.Grow(logs[:0], n)[:n]
	for i := range logs {
		logs[i] = math.Inf(-1)
	}
	return logs
}

// addLogs is the logarithm of the sum of two numbers given by theirs.
func addLogs(a, b float64) float64 {
	a, b = max(a, b), min(a, b)
	if b < a-50 {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}

// digamma is the derivative of the logarithm of the gamma function, for x > 0.
func digamma(x float64) float64 {
	sum := 0.0
	for ; x < 7; x++ {
		sum -= 1 / x
	}
	x -= 0.5
	y := 1 / (x * x)
	return sum + math.Log(x) + y*(1.0/24-y*(7.0/960-y*31.0/8064))
}

// prune keeps so many pieces: the single bytes, and those without which the words lose the most probability, if each
// place of a piece is cut in the best other way.
func (e *estimator) prune(size int) {
	type loss struct {
		piece int
		lost  float64
	}
	losses := make([]loss, 0, len(e.pieces)-256)
	var f forward
	for i := 256; i < len(e.pieces); i++ {
		losses = append(losses, loss{i, e.counts[i] * (e.pieces[i].weight - f.otherwise(e, i))})
	}
	slices.SortFunc(losses, func(a, b loss) int {
		return cmp.Or(cmp.Compare(b.lost, a.lost), cmp.Compare(e.pieces[a.piece].text, e.pieces[b.piece].text))
	})
	kept := slices.Clone(e.pieces[:256])
	for _, l := range losses[:size-256] {
		kept = append(kept, e.pieces[l.piece])
	}
	e.pieces = kept
	e.index()
}

// otherwise is the logarithm of the probability of the best way to cut a piece into others.
func (f *forward) otherwise(e *estimator, piece int) float64 {
	text := e.pieces[piece].text
	f.lay(&e.trie, text)
	f.left = reset(f.left, len(text)+1)
	f.left[0] = 0
	for _, g := range f.edges {
		if int(g.piece) != piece {
			f.left[g.to] = max(f.left[g.to], f.left[g.from]+e.pieces[g.piece].weight)
		}
	}
	return f.left[len(text)]
}

// model writes the special tokens and the pieces, the likeliest first. The unknown token is never needed.
func (e *estimator) model() object {
	vocab := [][2]any{}
	for _, s := range specialTokens {
		vocab = append(vocab, [2]any{s, 0.0})
	}
	for _, p := range slices.SortedFunc(slices.Values(e.pieces), weighed.before) {
		vocab = append(vocab, [2]any{spell(p.text), math.Round(p.weight*1e6) / 1e6})
	}
	return object{{"type", "Unigram"}, {"unk_id", 0}, {"vocab", vocab}, {"byte_fallback", false}}
}
