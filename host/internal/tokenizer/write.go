package tokenizer

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// orderedVocab writes a vocabulary as an object in the order of the ids, given as the index.
type orderedVocab []string

func (v orderedVocab) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for id, token := range v {
		key, err := plainJSON(token)
		if err != nil {
			return nil, err
		}
		if id > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendInt(append(append(out, key...), ':'), int64(id), 10)
	}
	return append(out, '}'), nil
}

// tokenizerFiles writes a model as the files of a tokenizer.
func tokenizerFiles(model object) (files, error) {
	byteLevel := object{
		{"type", "ByteLevel"},
		{"add_prefix_space", false},
		{"trim_offsets", true},
		{"use_regex", false},
	}
	split := object{
		{"type", "Split"},
		{"pattern", object{{"Regex", qwen2Pattern}}},
		{"behavior", "Isolated"},
		{"invert", false},
	}
	added, decoder := addedTokens()
	tokenizer := object{
		{"version", "1.0"},
		{"truncation", nil},
		{"padding", nil},
		{"added_tokens", added},
		{"normalizer", nil},
		{"pre_tokenizer", object{{"type", "Sequence"}, {"pretokenizers", []object{split, byteLevel}}}},
		{"post_processor", nil},
		{"decoder", byteLevel},
		{"model", model},
	}
	names := object{{"bos_token", bosToken}, {"eos_token", eosToken}, {"pad_token", padToken}}
	turns := member{"additional_special_tokens", []string{startToken, endToken}}
	config := append(object{
		{"added_tokens_decoder", decoder},
		turns,
		{"clean_up_tokenization_spaces", false},
		{"tokenizer_class", "PreTrainedTokenizerFast"},
	}, names...)
	return encodeFiles(tokenizer, config, append(names, turns))
}

func (l *learner) model() object {
	return object{
		{"type", "BPE"},
		{"dropout", nil},
		{"unk_token", nil},
		{"continuing_subword_prefix", nil},
		{"end_of_word_suffix", nil},
		{"fuse_unk", false},
		{"byte_fallback", false},
		{"ignore_merges", false},
		{"vocab", orderedVocab(l.spelling)},
		{"merges", l.rules},
	}
}

// addedTokens returns the special tokens as tokenizer.json and as tokenizer_config.json list them.
func addedTokens() (added []addedToken, decoder object) {
	for id, token := range specialTokens {
		added = append(added, addedToken{ID: int32(id), Content: token, Special: true})
		decoder = append(decoder, member{strconv.Itoa(id), object{
			{"content", token},
			{"lstrip", false},
			{"normalized", false},
			{"rstrip", false},
			{"single_word", false},
			{"special", true},
		}})
	}
	return added, decoder
}

func encodeFiles(tokenizer, config, special object) (f files, err error) {
	f.template = []byte(chatTemplate)
	f.vocabulary = []file{{name: "tokenizer.json"}}
	for _, e := range []struct {
		to   *[]byte
		from object
	}{{&f.vocabulary[0].content, tokenizer}, {&f.config, config}, {&f.special, special}} {
		raw, err := plainJSON(e.from)
		if err != nil {
			return f, err
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, raw, "", "  "); err != nil {
			return f, err
		}
		*e.to = append(indented.Bytes(), '\n')
	}
	return f, nil
}

// An object is written with its members in their order.
type object []member

type member struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, m := range o {
		key, err := plainJSON(m.key)
		if err != nil {
			return nil, err
		}
		value, err := plainJSON(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, key...), ':'), value...)
	}
	return append(out, '}'), nil
}

// plainJSON is json.Marshal without the escapes that HTML needs: the characters < and > are common in special tokens.
func plainJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte{'\n'}), err
}
