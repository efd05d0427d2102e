package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math/rand/v2"
	"slices"

	"github.com/carebot-llm/carebot/host/internal/tokenizer"
	"github.com/carebot-llm/carebot/recipes/samples"
)

// draw takes windows of the text at random, with the token after each as its target.
func draw(random *rand.Rand, ids []int32, s shape) (tokens, targets []int32) {
	for range s.Batch {
		at := random.IntN(len(ids) - s.Length)
		tokens = append(tokens, ids[at:at+s.Length]...)
		targets = append(targets, ids[at+1:at+1+s.Length]...)
	}
	return tokens, targets
}

// sampleTokens is the medical sample text in tokens of a vocabulary learned from it.
func sampleTokens(vocab int) ([]int32, error) {
	texts, err := sampleTexts("medical/en.jsonl.gz")
	if err != nil {
		return nil, err
	}
	words, err := tokenizer.Train(slices.Values(texts), vocab)
	if err != nil {
		return nil, err
	}
	var ids []int32
	for _, text := range texts {
		ids = append(ids, words.Encode(text)...)
	}
	return ids, nil
}

// sampleTexts are the texts of a file of sample data.
func sampleTexts(file string) ([]string, error) {
	packed, err := samples.FS.ReadFile(file)
	if err != nil {
		return nil, err
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var texts []string
	lines := bufio.NewScanner(unpacked)
	for lines.Buffer(nil, 1<<20); lines.Scan(); {
		var document struct{ Text string }
		if err := json.Unmarshal(lines.Bytes(), &document); err != nil {
			return nil, err
		}
		texts = append(texts, document.Text)
	}
	return texts, lines.Err()
}
