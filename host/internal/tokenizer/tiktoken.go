package tokenizer

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/text/unicode/norm"
)

// tiktokenPatterns are the patterns that belong to ranks, by the tokenizer_class of tokenizer_config.json.
var tiktokenPatterns = map[string]string{
	"":                        llama3Pattern,
	"PreTrainedTokenizer":     llama3Pattern,
	"PreTrainedTokenizerFast": llama3Pattern,
	"LlamaTokenizer":          llama3Pattern,
	"LlamaTokenizerFast":      llama3Pattern,
	"QWenTokenizer":           qwen2Pattern,
}

// readTiktoken makes a tokenizer of a file that has the bytes of a token, in base64, and its rank in each line, as for
// Llama 3 and the first Qwen. The rank is the id, and the order of merges.
func readTiktoken(raw []byte, config *configFile) (*Tokenizer, vocabulary, error) {
	pattern, ok := tiktokenPatterns[config.Class]
	if !ok {
		return nil, nil, fmt.Errorf("tokenizer_class %q: its pattern is not known", config.Class)
	}
	ranks, err := readRanks(raw)
	if err != nil {
		return nil, nil, err
	}
	b := newBPE(rankMerges(ranks))
	b.whole = ranks
	var table [256]int32
	for i := range table {
		id, ok := ranks[string([]byte{byte(i)})]
		if table[i] = id; !ok {
			return nil, nil, fmt.Errorf("there is no token for byte 0x%02x", i)
		}
	}
	b.spell = byBytes(&table)
	t := newTokenizer()
	t.cutting = cutting{handwritten[pattern], handwritten[pattern]}
	t.model, t.decoding.bytes = newCache(b), true
	if pattern == qwen2Pattern {
		t.normalize = normalForm(norm.NFC)
	}
	spelt := make(vocabulary, len(ranks))
	for token, id := range ranks {
		spelt[spell(token)] = id
	}
	added := config.added()
	vocab, err := t.readVocab(spelt, added)
	if err != nil {
		return nil, nil, err
	}
	return t, vocab, t.readAdded(added)
}

func readRanks(raw []byte) (vocabulary, error) {
	ranks := vocabulary{}
	for i, line := range bytes.Split(bytes.TrimRight(raw, "\n"), []byte("\n")) {
		text, number, ok := bytes.Cut(line, []byte(" "))
		token, err := base64.StdEncoding.DecodeString(string(text))
		rank, errRank := strconv.ParseUint(string(bytes.TrimRight(number, "\r")), 10, 32)
		if err = errors.Join(err, errRank); err != nil || !ok || rank >= vocabLimit {
			return nil, fmt.Errorf("line %d is not a token in base64 and its rank", i+1)
		}
		if len(token) == 0 || len(token) > tokenLimit/2 {
			return nil, fmt.Errorf("line %d: the token has %d bytes, not 1 to %d", i+1, len(token), tokenLimit/2)
		}
		if _, twice := ranks[string(token)]; twice {
			return nil, fmt.Errorf("line %d: the token is there twice", i+1)
		}
		ranks[string(token)] = int32(rank)
	}
	return ranks, nil
}

// rankMerges returns all ways to make a token of two. Those of one token have one rank: its own.
func rankMerges(ranks vocabulary) map[uint64]merge {
	merges := make(map[uint64]merge, 2*len(ranks))
	for token, id := range ranks {
		for i := 1; i < len(token); i++ {
			left, okLeft := ranks[token[:i]]
			right, okRight := ranks[token[i:]]
			if okLeft && okRight {
				merges[pairKey(left, right)] = merge{id, id}
			}
		}
	}
	return merges
}
