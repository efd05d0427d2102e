package tokenizer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A vocabulary has the ids of tokens by their spelling.
type vocabulary map[string]int32

const (
	vocabLimit = 4 << 20 // of ids
	tokenLimit = 1 << 10 // of the bytes of a token
)

func (v vocabulary) check() error {
	for token, id := range v {
		if token == "" || len(token) > tokenLimit {
			return fmt.Errorf("vocab: token %.20q with id %d is empty or longer than %d bytes", token, id, tokenLimit)
		}
		if id < 0 || id >= vocabLimit {
			return fmt.Errorf("vocab: token %q: id %d is not below %d", token, id, vocabLimit)
		}
	}
	return nil
}

// readBPEFiles makes a tokenizer of vocab.json and merges.txt, as the transformers library does for the tokenizer_class
// of tokenizer_config.json.
func readBPEFiles(vocab, merges []byte, config *configFile) (*Tokenizer, vocabulary, error) {
	var tokens vocabulary
	if err := strict(vocab, &tokens); err != nil {
		return nil, nil, err
	}
	rules := []mergeRule{}
	lines := bufio.NewScanner(bytes.NewReader(merges))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "" || strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return nil, nil, fmt.Errorf("merges: line %d is not of two tokens", n)
		}
		rules = append(rules, mergeRule{left, right})
	}
	if err := lines.Err(); err != nil {
		return nil, nil, fmt.Errorf("merges: %w", err)
	}
	prefixed := config.AddPrefixSpace
	file := tokenizerFile{
		AddedTokens:  config.added(),
		PreTokenizer: raw(object{{"type", "ByteLevel"}, {"add_prefix_space", prefixed}}),
		Decoder:      raw(object{{"type", "ByteLevel"}}),
		Model:        raw(object{{"type", "BPE"}, {"vocab", tokens}, {"merges", rules}}),
	}
	names := specialNames{bos: "<|endoftext|>", eos: "<|endoftext|>"}
	switch strings.TrimSuffix(config.Class, "Fast") {
	case "", "GPT2Tokenizer", "PreTrainedTokenizer":
	case "Qwen2Tokenizer":
		names = specialNames{eos: "<|endoftext|>", pad: "<|endoftext|>"}
		file.Normalizer = raw(object{{"type", "NFC"}})
		file.PreTokenizer = raw(byteLevelSplit(qwen2Pattern, prefixed))
	case "RobertaTokenizer":
		names = specialNames{bos: "<s>", eos: "</s>", pad: "<pad>", unk: "<unk>", cls: "<s>", sep: "</s>"}
	default:
		return nil, nil, fmt.Errorf("tokenizer_class %q is not known for vocab.json and merges.txt", config.Class)
	}
	return file.named(tokens, config.names(names))
}

// byteLevelSplit is a pre-tokenizer that cuts by a pattern.
func byteLevelSplit(pattern string, prefixed bool) object {
	split := object{
		{"type", "Split"}, {"pattern", object{{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false},
	}
	byteLevel := object{{"type", "ByteLevel"}, {"add_prefix_space", prefixed}, {"use_regex", false}}
	return object{{"type", "Sequence"}, {"pretokenizers", []object{split, byteLevel}}}
}

// readWordPieceFile makes a tokenizer of BERT's vocab.txt, a token in each line.
func readWordPieceFile(text []byte, config *configFile) (*Tokenizer, vocabulary, error) {
	tokens := vocabulary{}
	for id, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if token := strings.TrimRight(line, " \t\r"); token != "" {
			tokens[token] = int32(id)
		}
	}
	switch strings.TrimSuffix(config.Class, "Fast") {
	case "", "BertTokenizer", "PreTrainedTokenizer", "DistilBertTokenizer", "ElectraTokenizer":
	default:
		return nil, nil, fmt.Errorf("tokenizer_class %q is not known for vocab.txt", config.Class)
	}
	names := config.names(specialNames{pad: "[PAD]", unk: "[UNK]", cls: "[CLS]", sep: "[SEP]", mask: "[MASK]"})
	file := tokenizerFile{
		AddedTokens: config.added(),
		Normalizer: raw(object{
			{"type", "BertNormalizer"}, {"clean_text", true}, {"strip_accents", config.StripAccents},
			{"handle_chinese_chars", isNot(config.ChineseChars, false)}, {"lowercase", isNot(config.LowerCase, false)},
		}),
		PreTokenizer: raw(object{{"type", "BertPreTokenizer"}}),
		Decoder:      raw(object{{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}),
		Model: raw(object{
			{"type", "WordPiece"}, {"unk_token", names.unk}, {"continuing_subword_prefix", "##"},
			{"max_input_chars_per_word", 100}, {"vocab", tokens},
		}),
	}
	return file.named(tokens, names)
}

func isNot(b *bool, value bool) bool { return b == nil || *b != value }

// named adds the special tokens that the names say, and what is put around a text.
func (f *tokenizerFile) named(tokens vocabulary, names specialNames) (*Tokenizer, vocabulary, error) {
	have := map[string]bool{}
	for _, a := range f.AddedTokens {
		have[a.Content] = true
	}
	for _, name := range []string{names.bos, names.eos, names.pad, names.unk, names.cls, names.sep, names.mask} {
		if id, ok := tokens[name]; ok && !have[name] {
			f.AddedTokens = append(f.AddedTokens, addedToken{ID: id, Content: name, Special: true})
			have[name] = true
		}
	}
	if names.cls != "" && names.sep != "" {
		cls, okCLS := tokens[names.cls]
		sep, okSEP := tokens[names.sep]
		if !okCLS || !okSEP {
			return nil, nil, fmt.Errorf("%s or %s is not in the vocabulary", names.cls, names.sep)
		}
		f.PostProcessor = raw(object{
			{"type", "BertProcessing"}, {"sep", []any{names.sep, sep}}, {"cls", []any{names.cls, cls}},
		})
	}
	t, vocab, err := f.tokenizer()
	if err != nil {
		return nil, nil, err
	}
	t.names = names.within(vocab)
	return t, vocab, nil
}

// raw writes what is known to be writable as JSON.
func raw(v any) json.RawMessage {
	out, err := plainJSON(v)
	if err != nil {
		panic(errors.Join(errors.New("tokenizer: JSON of our own"), err))
	}
	return out
}
