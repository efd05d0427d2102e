package tokenizer

import (
	"cmp"
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
	UNK          *tokenName      `json:"unk_token"`
	CLS          *tokenName      `json:"cls_token"`
	SEP          *tokenName      `json:"sep_token"`
	Mask         *tokenName      `json:"mask_token"`

	Added map[string]addedToken `json:"added_tokens_decoder"`

	// Of tokenizers without tokenizer.json.
	Class          string `json:"tokenizer_class"`
	AddPrefixSpace bool   `json:"add_prefix_space"`
	LowerCase      *bool  `json:"do_lower_case"`
	StripAccents   *bool  `json:"strip_accents"`
	ChineseChars   *bool  `json:"tokenize_chinese_chars"`
}

// specialNames are the texts of special tokens, empty where there is none.
type specialNames struct{ bos, eos, pad, unk, cls, sep, mask string }

// names are the names that the config gives, or else the usual ones.
func (c *configFile) names(usual specialNames) specialNames {
	for _, n := range []struct {
		given *tokenName
		to    *string
	}{
		{c.BOS, &usual.bos}, {c.EOS, &usual.eos}, {c.PAD, &usual.pad}, {c.UNK, &usual.unk}, {c.CLS, &usual.cls},
		{c.SEP, &usual.sep}, {c.Mask, &usual.mask},
	} {
		if n.given != nil {
			*n.to = string(*n.given)
		}
	}
	return usual
}

// within leaves out the names of tokens that are not in the vocabulary.
func (n specialNames) within(vocab vocabulary) specialNames {
	for _, name := range []*string{&n.bos, &n.eos, &n.pad} {
		if _, ok := vocab[*name]; !ok {
			*name = ""
		}
	}
	return n
}

// added lists the added tokens in the order of their ids.
func (c *configFile) added() []addedToken {
	var all []addedToken
	for key, token := range c.Added {
		id, err := strconv.Atoi(key)
		if err != nil || id < 0 || id >= vocabLimit {
			id = none // an error of the vocabulary
		}
		token.ID = int32(id)
		all = append(all, token)
	}
	slices.SortFunc(all, func(a, b addedToken) int { return cmp.Compare(a.ID, b.ID) })
	return all
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

// readConfigs reads tokenizer_config.json and special_tokens_map.json where they are.
func (f *files) readConfigs() (config, special configFile, err error) {
	for _, file := range []struct {
		name string
		raw  []byte
		v    *configFile
	}{{"tokenizer_config.json", f.config, &config}, {"special_tokens_map.json", f.special, &special}} {
		if file.raw == nil {
			continue
		}
		if err := json.Unmarshal(file.raw, file.v); err != nil {
			return config, special, fmt.Errorf("%s: %w", file.name, err)
		}
	}
	return config, special, nil
}

// configure takes the special tokens and the chat template from the configs. vocab has the ids of all tokens.
func (t *Tokenizer) configure(config, special *configFile, vocab vocabulary) error {
	for _, key := range slices.Sorted(maps.Keys(config.Added)) {
		token := config.Added[key]
		if id, ok := vocab[token.Content]; !ok || key != strconv.Itoa(int(id)) {
			return fmt.Errorf("tokenizer_config.json: added_tokens_decoder: %q with id %s is not in the vocabulary",
				token.Content, key)
		}
	}
	for _, s := range []struct {
		key   string
		names []*tokenName
		id    *int32
	}{
		{"bos_token", []*tokenName{config.BOS, special.BOS, named(t.names.bos)}, &t.bos},
		{"eos_token", []*tokenName{config.EOS, special.EOS, named(t.names.eos)}, &t.eos},
		{"pad_token", []*tokenName{config.PAD, special.PAD, named(t.names.pad)}, &t.pad},
	} {
		id, err := specialID(vocab, s.names...)
		if err != nil {
			return fmt.Errorf("tokenizer_config.json: %s: %w", s.key, err)
		}
		*s.id = id
	}
	return t.readTemplate(config.ChatTemplate, vocab)
}

// specialID returns the id of the first name that is given, or -1.
func specialID(vocab vocabulary, names ...*tokenName) (int32, error) {
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

// named is a name that is not empty, or nil.
func named(name string) *tokenName {
	if name == "" {
		return nil
	}
	return (*tokenName)(&name)
}
