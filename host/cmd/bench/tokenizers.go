package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// leastEncoding is how many times as fast as Hugging Face's tokenizers ours are to be.
const leastEncoding = 1.5

const tokenizerVocab = 16000

// tokenizers encodes the sample texts and the repository's own pages and sources by tokenizers of three kinds, which
// the peer trains on them; then both train byte-level BPE.
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
	c := encodingContest{b: b, peer: peer, texts: texts, file: file, size: float64(size) / 1e6}
	c.table.row("what", "ours, MB/s", "Hugging Face's, MB/s", "at least", "ratio", "met")
	for _, kind := range []string{"bpe", "unigram", "wordpiece"} {
		if err := c.encode(kind); err != nil {
			return report{}, err
		}
	}
	if err := c.train(); err != nil {
		return report{}, err
	}
	body := fmt.Sprintf("%d texts of %.1f MB, vocabularies of %d; a core by processor time, all cores by wall time. "+
		"The best of all rounds.\n\n%s", len(texts), c.size, tokenizerVocab, c.table)
	return report{body: body}, nil
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
	table table
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
		c.row(kind+", encoding, "+name, we, they, leastEncoding)
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

// train lets both sides learn byte-level BPE.
func (c *encodingContest) train() error {
	request := request{Op: "train", Form: "bpe", N: tokenizerVocab, Documents: c.file}
	request.File = filepath.Join(c.b.temporary, "trained.json")
	us := ours("ours", func() error {
		_, err := tokenizer.Train(slices.Values(c.texts), tokenizerVocab)
		return err
	})
	we, they, err := c.b.duel(us, c.peer.side("Hugging Face", request), true)
	if err != nil {
		return err
	}
	c.row("bpe, training, a core", we, they, 1)
	return nil
}

func (c *encodingContest) row(what string, we, they series, least float64) {
	ratio := we.over(they)
	our, their := number(c.size/we.best()), number(c.size/they.best())
	c.table.row(what, our, their, number(least), number(ratio), met[ratio >= least])
}
