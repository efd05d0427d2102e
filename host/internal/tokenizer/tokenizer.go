// Package tokenizer turns text into tokens and back: byte-level BPE, trained here (Train) or read from the files of a
// Hugging Face model directory (Load), with the chat template of our own models (Chat).
//
// Encode gives the tokens that the Hugging Face library gives for the same tokenizer.json with special tokens neither
// added nor recognised in the text. What tokenizer.json asks for and this package does not know is an error of Load.
package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// A Tokenizer encodes and decodes text. It does not change once made and is safe for concurrent use.
type Tokenizer struct {
	files          files
	before, within finder // added tokens looked for before and after normalization
	normalize      func(string) string
	split          splitter
	bpe            bpe
	tokens         []string // bytes by id, empty where there is no token
	special        []bool   // by id
	prefix, suffix []int32
	bos, eos, pad  int32  // -1 where there is none
	template       string // of chats, empty where there is none
	chat           chatTokens
}

// Encode returns the tokens of a plain text. The text of a special token in it is text like any other; ordinary added
// tokens are recognised. Bytes that are not UTF-8 are read as U+FFFD. Nothing is put around the tokens: see Around.
func (t *Tokenizer) Encode(text string) []int32 {
	ids := make([]int32, 0, len(text)/3+1)
	token := func(id int32) { ids = append(ids, id) }
	word := func(w string) { ids = t.bpe.encode(ids, w) }
	words := func(s string) { t.split(s, word) }
	normal := func(s string) { t.within.cut(t.normalize(s), words, token) }
	t.before.cut(strings.ToValidUTF8(text, "\uFFFD"), normal, token)
	return ids
}

// Decode returns the text of tokens without the special ones. Byte sequences that are not UTF-8 become U+FFFD; ids that
// are no tokens are left out. If normalization and prefix space are off, as in our own tokenizers, Decode(Encode(text))
// is text.
func (t *Tokenizer) Decode(ids []int32) string { return t.decode(ids, false) }

// DecodeAll is Decode with the special tokens in the text.
func (t *Tokenizer) DecodeAll(ids []int32) string { return t.decode(ids, true) }

func (t *Tokenizer) decode(ids []int32, special bool) string {
	var out []byte
	for _, id := range ids {
		if 0 <= id && int(id) < len(t.tokens) && (special || !t.special[id]) {
			out = append(out, t.tokens[id]...)
		}
	}
	return validUTF8(out)
}

// Size is one more than the highest token id: the rows that an embedding needs.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// BOS returns the token that begins a text, if the tokenizer names one.
func (t *Tokenizer) BOS() (int32, bool) { return t.bos, t.bos >= 0 }

// EOS returns the token that ends a text, if the tokenizer names one. Answers in a chat end with EndOfTurn.
func (t *Tokenizer) EOS() (int32, bool) { return t.eos, t.eos >= 0 }

// PAD returns the token that fills up a batch, if the tokenizer names one.
func (t *Tokenizer) PAD() (int32, bool) { return t.pad, t.pad >= 0 }

// Around returns the tokens that the Hugging Face library puts before and after a single text (its post-processor).
// They are empty for our own tokenizers.
func (t *Tokenizer) Around() (prefix, suffix []int32) { return t.prefix, t.suffix }

// Digest identifies what the tokens of a text depend on: the SHA-256, in hex, of tokenizer.json, the chat template and
// the ids of BOS, EOS and PAD.
func (t *Tokenizer) Digest() string {
	h := sha256.New()
	h.Write(t.files.tokenizer)
	fmt.Fprintf(h, "\x00%s\x00%d %d %d", t.template, t.bos, t.eos, t.pad)
	return hex.EncodeToString(h.Sum(nil))
}

// files holds the files of a tokenizer as they are on disk; nil where there is none.
type files struct{ tokenizer, config, special, template []byte }

type namedFile struct {
	name    string
	content *[]byte
}

func (f *files) all() []namedFile {
	return []namedFile{
		{"tokenizer.json", &f.tokenizer},
		{"tokenizer_config.json", &f.config},
		{"special_tokens_map.json", &f.special},
		{"chat_template.jinja", &f.template},
	}
}

// fileLimit bounds the size of each file, in bytes.
const fileLimit = 256 << 20

// Load reads tokenizer.json and, where they exist, tokenizer_config.json, special_tokens_map.json and
// chat_template.jinja.
func Load(dir string) (*Tokenizer, error) {
	var f files
	for _, file := range f.all() {
		data, err := readFile(filepath.Join(dir, file.name))
		if err != nil && (file.name == "tokenizer.json" || !errors.Is(err, os.ErrNotExist)) {
			return nil, fmt.Errorf("load tokenizer: %w", err)
		}
		*file.content = data
	}
	t, err := assemble(f)
	if err != nil {
		return nil, fmt.Errorf("load tokenizer %s: %w", dir, err)
	}
	return t, nil
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > fileLimit {
		return nil, fmt.Errorf("%s has %d bytes, more than the limit of %d", path, info.Size(), fileLimit)
	}
	return os.ReadFile(path)
}

// Save writes the files to a directory that transformers.AutoTokenizer loads. Those of a tokenizer that was loaded are
// written unchanged.
func (t *Tokenizer) Save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("save tokenizer: %w", err)
	}
	for _, file := range t.files.all() {
		if *file.content == nil {
			continue
		}
		if err := durable.WriteFile(filepath.Join(dir, file.name), *file.content); err != nil {
			return fmt.Errorf("save tokenizer: %w", err)
		}
	}
	return nil
}
