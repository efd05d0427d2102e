package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/carebot-llm/carebot/sdk"
)

// A Record is one item of a dataset. Its content is that of exactly one Kind; the other kinds' fields are empty. Text
// is valid UTF-8 with line feeds only. A record is not changed after it was read, except that curation adds scores.
type Record struct {
	ID       string // first 32 hex digits of the sha256 of the content
	Source   string
	Language string
	File     string // where it was read, relative to the data root
	Line     int    // counted from 1; the row's number in Parquet

	Text  string     // KindText
	Turns []sdk.Turn // KindDialogue
	Whole Whole      // the same for a chat template, if there is more than text

	Prompt           []sdk.Turn // KindPair
	Chosen, Rejected string

	Question string // KindChoice
	Options  []string
	Answer   int // index into Options

	Scores map[string]float32 // "label" of rated text, "plugin.score" of curation; NaN where a plugin abstained
}

// A Kind is what the content of a record is.
type Kind string

// The kinds of records.
const (
	KindText     Kind = "text"
	KindDialogue Kind = "dialogue"
	KindPair     Kind = "pair"
	KindChoice   Kind = "choice"
)

// Kind says which fields hold the record's content.
func (r *Record) Kind() Kind {
	switch {
	case len(r.Turns) > 0:
		return KindDialogue
	case len(r.Prompt) > 0:
		return KindPair
	case len(r.Options) > 0:
		return KindChoice
	}
	return KindText
}

// Document is the record as a scorer sees it: the texts of dialogues, pairs (prompt and chosen answer) and questions
// are joined by blank lines.
func (r *Record) Document() sdk.Document {
	return sdk.Document{ID: r.ID, Text: r.body(), Language: r.Language, Source: r.Source}
}

// Dialogue is the record as a filter sees it; a text has no turns.
func (r *Record) Dialogue() sdk.Dialogue {
	return sdk.Dialogue{ID: r.ID, Turns: r.Turns, Language: r.Language, Source: r.Source}
}

func (r *Record) body() string {
	var parts []string
	switch r.Kind() {
	case KindText:
		return r.Text
	case KindDialogue:
		parts = texts(r.Turns)
	case KindPair:
		parts = append(texts(r.Prompt), r.Chosen)
	case KindChoice:
		parts = append([]string{r.Question}, r.Options...)
	}
	return strings.Join(parts, "\n\n")
}

func texts(turns []sdk.Turn) []string {
	all := make([]string, len(turns))
	for i, t := range turns {
		all[i] = t.Text
	}
	return all
}

// Identify sets the ID after the content was made or changed.
func (r *Record) Identify() {
	h := sha256.New()
	for _, part := range r.content() {
		hashString(h, part)
	}
	r.ID = hex.EncodeToString(h.Sum(nil))[:32]
}

// content lists everything that makes the record what it is, in an order that tells contents apart.
func (r *Record) content() []string {
	parts := []string{string(r.Kind()), r.Text}
	for _, turns := range [][]sdk.Turn{r.Turns, r.Prompt} {
		for _, t := range turns {
			parts = append(parts, string(t.Role), t.Text)
		}
	}
	if r.Whole != (Whole{}) {
		parts = append(parts, r.Whole.Messages, r.Whole.Tools)
	}
	parts = append(parts, r.Chosen, r.Rejected, r.Question)
	parts = append(parts, r.Options...)
	if r.Kind() == KindChoice {
		parts = append(parts, string(rune('A'+r.Answer)))
	}
	return parts
}

// hashString hashes the length before the bytes, so that the borders between strings count.
func hashString(h hash.Hash, s string) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
	h.Write(n[:])
	h.Write([]byte(s))
}
