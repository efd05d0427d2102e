// Package tokenizer turns text into tokens and back: by byte-level BPE trained here (Train), or by the files of a model
// directory (Load), with the chat template of our own models (Chat).
//
// Encode gives the tokens that the file's own library gives with special tokens neither added nor recognised in the
// text: Hugging Face's tokenizers for tokenizer.json, SentencePiece for its models, tiktoken for its ranks, and for
// vocab.json and vocab.txt what transformers makes of them. What a file asks for and this package does not know is an
// error of Load.
//
// A text goes through: added tokens cut out (added), normalizer, added tokens again, pre-tokenizer (split, pattern,
// metaspace), model (bpe, unigram, wordpiece), and back through the decoder.
package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/durable"
)

// A Tokenizer encodes and decodes text. It does not change once made and is safe for concurrent use.
type Tokenizer struct {
	files          files
	before, within finder // added tokens looked for before and after normalization
	normalize      normalizer
	cutting        cutting
	model          model
	tokens         []string // by id, as decoding takes them; empty where there is no token
	special        []bool   // by id
	decoding       decoding
	prefix, suffix []int32
	pair           []pairPiece  // of two texts; nil where the files don't say it
	bos, eos, pad  int32        // -1 where there is none
	names          specialNames // bos, eos and pad where no config says otherwise
	template       string       // of chats, empty where there is none
	chat           chat
}

// Encode returns the tokens of a plain text. The text of a special token in it is text like any other, so that no text
// can feign one, unless the model itself has it for a word, as Unigram models do; ordinary added tokens are recognised.
// Bytes that are not UTF-8 are read as U+FFFD. Nothing is put around the tokens: see Around.
func (t *Tokenizer) Encode(text string) []int32 { return t.encode(text, false) }

// EncodeAll is Encode with special tokens recognised in the text.
func (t *Tokenizer) EncodeAll(text string) []int32 { return t.encode(text, true) }

func (t *Tokenizer) encode(text string, special bool) []int32 {
	ids := make([]int32, 0, len(text)/3+1)
	token := func(id int32) { ids = append(ids, id) }
	word := func(w string) { ids = t.model.encode(ids, w) }
	t.before.cut(strings.ToValidUTF8(text, "\uFFFD"), special, func(at int, s string) {
		t.within.cut(t.normalize(s), special, func(within int, s string) {
			cut := t.cutting.later
			if at == 0 && within == 0 {
				cut = t.cutting.start
			}
			cut(s, word)
		}, token)
	}, token)
	return ids
}

// Decode returns the text of tokens without the special ones. Byte sequences that are not UTF-8 become U+FFFD; ids that
// are no tokens are left out. If normalization and prefix space are off, as in our own tokenizers, Decode(Encode(text))
// is text.
func (t *Tokenizer) Decode(ids []int32) string { return t.decode(ids, false) }

// DecodeAll is Decode with the special tokens in the text.
func (t *Tokenizer) DecodeAll(ids []int32) string { return t.decode(ids, true) }

func (t *Tokenizer) decode(ids []int32, special bool) string {
	tokens := make([]string, 0, len(ids))
	for _, id := range ids {
		if 0 <= id && int(id) < len(t.tokens) && t.tokens[id] != "" && (special || !t.special[id]) {
			tokens = append(tokens, t.tokens[id])
		}
	}
	return t.decoding.text(tokens)
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

// Digest identifies what the tokens of a text depend on: the SHA-256, in hex, of the vocabulary's files, the chat
// template and the ids of BOS, EOS and PAD.
func (t *Tokenizer) Digest() string {
	h := sha256.New()
	for _, f := range t.files.vocabulary {
		h.Write(f.content)
	}
	fmt.Fprintf(h, "\x00%s\x00%d %d %d", t.template, t.bos, t.eos, t.pad)
	return hex.EncodeToString(h.Sum(nil))
}

// files holds the files of a tokenizer as they are on disk: those of the vocabulary, and others, nil where there is
// none.
type files struct {
	vocabulary                []file
	config, special, template []byte
}

type file struct {
	name    string
	content []byte
}

func (f *files) all() []file {
	return append(slices.Clone(f.vocabulary),
		file{"tokenizer_config.json", f.config}, file{"special_tokens_map.json", f.special},
		file{"chat_template.jinja", f.template})
}

// A format is a way to write a tokenizer: the names of its files, and how to read them.
type format struct {
	names []string
	read  func(vocabulary []file, config *configFile) (*Tokenizer, vocabulary, error)
}

// formats are looked for in this order.
var formats = []format{
	{[]string{"tokenizer.json"}, func(f []file, _ *configFile) (*Tokenizer, vocabulary, error) {
		return readTokenizerFile(f[0].content)
	}},
	{[]string{"tokenizer.model"}, readModelFile},
	{[]string{"spiece.model"}, readModelFile},
	{[]string{"sentencepiece.bpe.model"}, readModelFile},
	{[]string{"qwen.tiktoken"}, func(f []file, c *configFile) (*Tokenizer, vocabulary, error) {
		c.Class = "QWenTokenizer"
		return readTiktoken(f[0].content, c)
	}},
	{[]string{"vocab.json", "merges.txt"}, func(f []file, c *configFile) (*Tokenizer, vocabulary, error) {
		return readBPEFiles(f[0].content, f[1].content, c)
	}},
	{[]string{"vocab.txt"}, func(f []file, c *configFile) (*Tokenizer, vocabulary, error) {
		return readWordPieceFile(f[0].content, c)
	}},
}

// readModelFile reads ranks of tiktoken, which begin with base64, or a model of SentencePiece, which begins with the
// tag of its first piece, a line break.
func readModelFile(f []file, config *configFile) (*Tokenizer, vocabulary, error) {
	if len(f[0].content) > 0 && f[0].content[0] == '\n' {
		return readSentencePiece(f[0].content)
	}
	return readTiktoken(f[0].content, config)
}

// fileLimit bounds the size of each file, in bytes.
const fileLimit = 256 << 20

// Load reads the tokenizer of a model directory: tokenizer.json, or else tokenizer.model, spiece.model or
// sentencepiece.bpe.model (SentencePiece's, or ranks of tiktoken), qwen.tiktoken, vocab.json with merges.txt, or
// vocab.txt. Where they exist, it reads tokenizer_config.json, special_tokens_map.json and chat_template.jinja too.
func Load(dir string) (*Tokenizer, error) {
	var names []string
	for _, format := range formats {
		vocabulary, err := readFiles(dir, format.names)
		if errors.Is(err, os.ErrNotExist) {
			names = append(names, strings.Join(format.names, " with "))
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("load tokenizer: %w", err)
		}
		t, err := format.load(dir, vocabulary)
		if err != nil {
			return nil, fmt.Errorf("load tokenizer %s: %w", dir, err)
		}
		return t, nil
	}
	return nil, fmt.Errorf("load tokenizer: %s has none of %s", dir, strings.Join(names, ", "))
}

func (format *format) load(dir string, vocabulary []file) (*Tokenizer, error) {
	f := files{vocabulary: vocabulary}
	for name, content := range map[string]*[]byte{
		"tokenizer_config.json": &f.config, "special_tokens_map.json": &f.special, "chat_template.jinja": &f.template,
	} {
		data, err := readFile(filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		*content = data
	}
	return format.assemble(f)
}

// assemble makes a tokenizer of its files.
func (format *format) assemble(f files) (*Tokenizer, error) {
	config, special, err := f.readConfigs()
	if err != nil {
		return nil, err
	}
	t, vocab, err := format.read(f.vocabulary, &config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(format.names, ", "), err)
	}
	t.files = f
	return t, t.configure(&config, &special, vocab)
}

// assemble makes a tokenizer of tokenizer.json and other files.
func assemble(f files) (*Tokenizer, error) { return formats[0].assemble(f) }

func newTokenizer() *Tokenizer {
	whole := func(s string, yield func(string)) { yield(s) }
	return &Tokenizer{
		normalize: func(s string) string { return s }, cutting: cutting{whole, whole},
		bos: none, eos: none, pad: none, chat: noChat{ErrTemplate},
	}
}

func readFiles(dir string, names []string) ([]file, error) {
	var all []file
	for _, name := range names {
		content, err := readFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		all = append(all, file{name, content})
	}
	return all, nil
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
		if file.content == nil {
			continue
		}
		if err := durable.WriteFile(filepath.Join(dir, file.name), file.content); err != nil {
			return fmt.Errorf("save tokenizer: %w", err)
		}
	}
	return nil
}
