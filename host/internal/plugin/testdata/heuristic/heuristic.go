// Package heuristic is a small filter of text that the benchmarks compare in all languages: one pass over UTF-8 that
// hashes lines and counts words, Chinese characters, stop words and signs. c, rust and ts are the same, to the last bit
// of the score, on the kits of their languages.
package heuristic

import (
	"context"
	"unicode/utf8"

	"github.com/carebot-llm/carebot/sdk"
)

// Plugin rates a document by its look, from 0 to 1.
var Plugin = sdk.Plugin{
	Manifest: sdk.Manifest{
		ABI: sdk.ABI, Name: "test-heuristic", Version: "1.0.0", Kinds: []sdk.Kind{sdk.KindScorer},
		Columns: []string{"text"}, Purity: sdk.Pure,
		Scores: []sdk.ScoreInfo{{Name: "look", HigherIsBetter: true}},
	},
	New: func(sdk.Env) (any, error) { return &filter{}, nil },
}

// FNV-1a.
const (
	seed32, prime32 = 2166136261, 16777619
	seed64, prime64 = 14695981039346656037, 1099511628211
)

// lineSlots is a power of two, and twice the lines that are remembered.
const lineSlots = 4096

type filter struct {
	counts
	seen  [lineSlots]struct{ hash, round uint64 }
	round uint64
	used  int
}

type counts struct {
	words, wordChars, alpha, chinese, stops int
	symbols, braces                         int
	lines, ended, repeated                  int
}

// Score implements sdk.Scorer.
func (f *filter) Score(_ context.Context, docs []sdk.Document) ([]sdk.Rating, error) {
	ratings := make([]sdk.Rating, len(docs))
	for i := range docs {
		f.counts, f.used = counts{}, 0
		f.round++
		f.read(docs[i].Text)
		ratings[i].Scores = map[string]float64{"look": f.look()}
	}
	return ratings, nil
}

// read counts what is in a text.
func (f *filter) read(text string) {
	var w word
	line, chars, last := uint64(seed64), 0, rune(0)
	w.hash = seed32
	for i := 0; i < len(text); {
		if n := w.letters(text[i:], &line); n > 0 {
			i, chars, last = i+n, chars+n, 'a'
			continue
		}
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		if c == '\n' {
			f.endWord(&w)
			f.endLine(line, chars, last)
			line, chars = seed64, 0
			continue
		}
		line = (line ^ uint64(c)) * prime64
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == 0x3000:
			f.endWord(&w)
			continue
		case c >= 0x3400 && c <= 0x9FFF:
			f.endWord(&w)
			f.character(c)
		default:
			f.sign(&w, c)
		}
		chars, last = chars+1, c
	}
	f.endWord(&w)
	f.endLine(line, chars, last)
}

// letters adds the letters of ASCII that a text starts with and returns how many.
func (w *word) letters(text string, line *uint64) int {
	i, h, all := 0, w.hash, *line
	for ; i < len(text); i++ {
		l := text[i] | 0x20
		if l < 'a' || l > 'z' {
			break
		}
		h = (h ^ uint32(l)) * prime32
		all = (all ^ uint64(text[i])) * prime64
	}
	w.hash, *line = h, all
	w.length += i
	w.alpha = w.alpha || i > 0
	return i
}

// sign adds a character to a word that is none of ASCII's letters.
func (f *filter) sign(w *word, c rune) {
	w.length++
	w.hash = (w.hash ^ uint32(c)) * prime32
	w.alpha = w.alpha || c >= 0xC0 && (c < 0x2000 || c > 0x303F) && (c < 0xFF00 || c > 0xFFEF)
	switch c {
	case '#', 0x2026:
		f.symbols++
	case '{', '}':
		f.braces++
	}
}

type word struct {
	hash   uint32
	length int
	alpha  bool
}

// stopWords are the hashes of the, be, to, of, and, that, have, with.
var stopWords = [8]uint32{
	0xb40eb21c, 0x382ba080, 0x42454824, 0x69343c68, 0x0f29c2a6, 0xcb18332c, 0xf5ce03fb, 0x0c4afe69,
}

func (f *filter) endWord(w *word) {
	if w.length == 0 {
		return
	}
	f.words++
	f.wordChars += w.length
	if w.alpha {
		f.alpha++
	}
	for _, stop := range stopWords {
		if w.hash == stop {
			f.stops++
		}
	}
	*w = word{hash: seed32}
}

// character counts a Chinese character, which is a word.
func (f *filter) character(c rune) {
	f.words++
	f.wordChars++
	f.alpha++
	f.chinese++
	switch c {
	case '的', '是', '了', '在', '和', '有', '不', '我':
		f.stops++
	}
}

func (f *filter) endLine(hash uint64, chars int, last rune) {
	if chars == 0 {
		return
	}
	f.lines++
	switch last {
	case '.', '!', '?', '"', '。', '！', '？', '」', '”':
		f.ended++
	}
	for i := (hash ^ hash>>32) % lineSlots; ; i = (i + 1) % lineSlots {
		s := &f.seen[i]
		if s.round == f.round && s.hash == hash {
			f.repeated++
			return
		}
		if s.round != f.round {
			if f.used < lineSlots/2 {
				s.hash, s.round = hash, f.round
				f.used++
			}
			return
		}
	}
}

// look is the verdict. Conversions keep products from being fused with sums.
func (f *filter) look() float64 {
	if f.words == 0 {
		return 0
	}
	words, lines, s := float64(f.words), float64(f.lines), 1.0
	if mean := float64(f.wordChars) / words; 2*f.chinese < f.words && (mean < 3 || mean > 10) {
		s -= 0.2
	}
	s -= float64(0.3 * (float64(f.symbols) / words))
	s -= float64(0.2 * (1 - float64(f.alpha)/words))
	s -= float64(0.1 * (1 - float64(f.ended)/lines))
	s -= float64(0.4 * (float64(f.repeated) / lines))
	s -= float64(0.01 * float64(f.braces))
	if f.stops < 2 {
		s -= 0.3
	}
	if f.words < 50 {
		s -= 0.1
	}
	return max(s, 0)
}

var _ sdk.Scorer = (*filter)(nil)
