package main

import (
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

const tokenizerVocab = 16000

// tokenizers encodes the sample texts and the repository's own sources by tokenizers of three kinds, which the peer
// trains on them; then both train byte-level BPE and Unigram.
func tokenizers(b *bench) (report, error) {
	texts, err := mixedTexts()
	if err != nil {
		return report{}, err
	}
	file, err := b.documentFile("mixed.jsonl", texts)
	if err != nil {
		return report{}, err
	}
	peer, err := b.pythonPeer("hftokenizers.py")
	if err != nil {
		return report{}, err
	}
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	c := encodingContest{b: b, peer: peer, texts: texts, file: file, size: float64(size) / 1e6, least: math.Inf(1)}
	c.encoding.row("encoding", "ours, MB/s", "Hugging Face's, MB/s", "ratio")
	for _, kind := range []string{"bpe", "unigram", "wordpiece"} {
		if err := c.encode(kind); err != nil {
			return report{}, err
		}
	}
	c.training.row("training", "ours, MB/s", "Hugging Face's, MB/s", "ratio", "our vocabulary", "theirs", "our tokens",
		"theirs")
	for _, kind := range []string{"bpe", "unigram"} {
		if err := c.train(kind); err != nil {
			return report{}, err
		}
	}
	body := fmt.Sprintf("%d texts of %.1f MB, vocabularies of %d asked for; a core and training by processor time, "+
		"all cores by wall time; best (median). Tokens are of the texts by the tokenizer trained on them.\n\n%s\n%s",
		len(texts), c.size, tokenizerVocab, c.encoding, c.training)
	return report{body, []figure{{workEncoding, "minimum " + number(c.least), c.least >= 1}}}, nil
}

// mixedTexts are sample texts in English and Chinese, and the Go sources of the host.
func mixedTexts() ([]string, error) {
	var texts []string
	for _, name := range []string{"general/en", "general/zh", "medical/en", "medical/zh"} {
		some, err := sampleTexts(name + ".jsonl.gz")
		if err != nil {
			return nil, err
		}
		texts = append(texts, some...)
	}
	sources, err := filepath.Glob("host/internal/*/*.go")
	if err != nil {
		return nil, err
	}
	for _, name := range sources {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

// An encodingContest lets tokenizers work on texts.
type encodingContest struct {
	b     *bench
	peer  *peer
	texts []string
	file  string  // of the texts
	size  float64 // of the texts, in MB

	encoding, training table
	least              float64 // ratio of encoding
}

// encode lets the peer train a tokenizer and both sides encode with it, on a core and on all.
func (c *encodingContest) encode(kind string) error {
	dir := filepath.Join(c.b.temporary, kind)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	request := request{Form: kind, N: tokenizerVocab, Documents: c.file, File: filepath.Join(dir, "tokenizer.json")}
	request.Op, request.Reps = "train", 1
	if _, err := c.peer.ask(request); err != nil {
		return err
	}
	tok, err := tokenizer.Load(dir)
	if err != nil {
		return err
	}
	request.Op = "encode"
	for _, threads := range []int{1, runtime.NumCPU()} {
		request.Threads = threads
		us := ours("ours", func() error {
			encodeAll(tok, c.texts, threads)
			return nil
		})
		we, they, err := c.b.duel(us, c.peer.side("Hugging Face", request), threads == 1)
		if err != nil {
			return err
		}
		name := map[bool]string{true: "a core", false: "all cores"}[threads == 1]
		c.encoding.row(c.cells(kind+", "+name, we, they)...)
		c.least = min(c.least, we.over(they))
	}
	return c.peer.forget()
}

func encodeAll(tok *tokenizer.Tokenizer, texts []string, threads int) {
	var group sync.WaitGroup
	for w := range threads {
		group.Go(func() {
			for i := w; i < len(texts); i += threads {
				tok.Encode(texts[i])
			}
		})
	}
	group.Wait()
}

// trainings are ours of each kind.
var trainings = map[string]func(texts iter.Seq[string], vocab int) (*tokenizer.Tokenizer, error){
	"bpe": tokenizer.Train, "unigram": tokenizer.TrainUnigram,
}

// train lets both sides learn a tokenizer.
func (c *encodingContest) train(kind string) error {
	dir := filepath.Join(c.b.temporary, "trained-"+kind)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	request := request{Op: "train", Form: kind, N: tokenizerVocab, Documents: c.file}
	request.File = filepath.Join(dir, "tokenizer.json")
	var own *tokenizer.Tokenizer
	us := ours("ours", func() (err error) {
		own, err = trainings[kind](slices.Values(c.texts), tokenizerVocab)
		return err
	})
	we, they, err := c.b.duel(us, c.peer.side("Hugging Face", request), true)
	if err != nil {
		return err
	}
	other, err := tokenizer.Load(dir)
	if err != nil {
		return err
	}
	c.training.row(append(c.cells(kind, we, they), fmt.Sprint(own.Size()), fmt.Sprint(other.Size()),
		fmt.Sprint(c.tokens(own)), fmt.Sprint(c.tokens(other)))...)
	return nil
}

// tokens is how many a tokenizer makes of the texts.
func (c *encodingContest) tokens(tok *tokenizer.Tokenizer) int {
	n := 0
	for _, text := range c.texts {
		n += len(tok.Encode(text))
	}
	return n
}

func (c *encodingContest) cells(what string, we, they series) []string {
	return []string{what, we.rate(c.size), they.rate(c.size), number(we.over(they))}
}
