package tokenizer

import (
	"fmt"
	"iter"
)

// The special tokens of the tokenizers trained here, in the order of their ids from 0.
const (
	padToken   = "<|pad|>"
	bosToken   = "<|bos|>"
	eosToken   = "<|eos|>"
	startToken = "<|im_start|>"
	endToken   = "<|im_end|>"
)

var specialTokens = []string{padToken, bosToken, eosToken, startToken, endToken}

// fewest is how often a pair must occur to become a token. What occurs once teaches nothing.
const fewest = 2

// Train learns a vocabulary from texts: the special tokens <|pad|>, <|bos|>, <|eos|>, <|im_start|>, <|im_end|>, then
// the 256 bytes, then tokens joined of two others, the most frequent pair first; of equally frequent pairs the one with
// the smaller left id, then the smaller right id. The result does not depend on the order of the texts. vocab is the
// size asked for; Size is less when no pair is left that occurs twice. No normalization, each digit is a token of its
// own.
func Train(texts iter.Seq[string], vocab int) (*Tokenizer, error) {
	least := len(specialTokens) + 256
	if vocab < least || vocab > vocabLimit {
		return nil, fmt.Errorf("train tokenizer: a vocabulary of %d is not between %d and %d", vocab, least, vocabLimit)
	}
	c, err := newCorpus(countWords(texts))
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	l := newLearner(c)
	for len(l.spelling) < vocab && l.step() {
	}
	f, err := tokenizerFiles(l.model())
	if err != nil {
		return nil, fmt.Errorf("train tokenizer: %w", err)
	}
	return assemble(f)
}
