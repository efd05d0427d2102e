package tokenizer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// configFile is what matters here of tokenizer_config.json and special_tokens_map.json. They may hold anything else.
type configFile struct {
	BOS          *tokenName      `json:"bos_token"`
	EOS          *tokenName      `json:"eos_token"`
	PAD          *tokenName      `json:"pad_token"`
	ChatTemplate json.RawMessage `json:"chat_template"`
	Added        map[string]struct {
		Content string `json:"content"`
	} `json:"added_tokens_decoder"`
}

// tokenName is the text of a token, written as a string or as an object with a content.
type tokenName string

func (n *tokenName) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(n))
	}
	var object struct {
		Content string `json:"content"`
	}
	err := json.Unmarshal(raw, &object)
	*n = tokenName(object.Content)
	return err
}

// readConfig reads the names of the special tokens and the chat template. vocab has the ids of all tokens.
func (t *Tokenizer) readConfig(vocab map[string]int32) error {
	var config, special configFile
	for _, f := range []struct {
		name string
		raw  []byte
		v    *configFile
	}{{"tokenizer_config.json", t.files.config, &config}, {"special_tokens_map.json", t.files.special, &special}} {
		if f.raw == nil {
			continue
		}
		if err := json.Unmarshal(f.raw, f.v); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(config.Added)) {
		token := config.Added[key]
		if id, ok := vocab[token.Content]; !ok || key != strconv.Itoa(int(id)) {
			return fmt.Errorf("tokenizer_config.json: added_tokens_decoder: %q with id %s is not in tokenizer.json",
				token.Content, key)
		}
	}
	for _, s := range []struct {
		key           string
		first, second *tokenName
		id            *int32
	}{
		{"bos_token", config.BOS, special.BOS, &t.bos},
		{"eos_token", config.EOS, special.EOS, &t.eos},
		{"pad_token", config.PAD, special.PAD, &t.pad},
	} {
		id, err := specialID(vocab, s.first, s.second)
		if err != nil {
			return fmt.Errorf("tokenizer_config.json: %s: %w", s.key, err)
		}
		*s.id = id
	}
	return t.readTemplate(config.ChatTemplate, vocab)
}

// specialID returns the id of the first name that is given, or -1.
func specialID(vocab map[string]int32, names ...*tokenName) (int32, error) {
	for _, name := range names {
		if name == nil {
			continue
		}
		if id, ok := vocab[string(*name)]; ok {
			return id, nil
		}
		return -1, fmt.Errorf("%q is not in the vocabulary", *name)
	}
	return -1, nil
}
