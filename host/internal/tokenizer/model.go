package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
)

// vocabLimit bounds token ids.
const vocabLimit = 4 << 20

// bpeModel is the model of tokenizer.json. Files of 2020 lack its type. The unknown token is never needed, since the
// vocabulary must have all 256 bytes; unk_token and fuse_unk are therefore without effect.
type bpeModel struct {
	Type                    *string          `json:"type"`
	Dropout                 *float64         `json:"dropout"`
	UnkToken                *string          `json:"unk_token"`
	ContinuingSubwordPrefix *string          `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string          `json:"end_of_word_suffix"`
	FuseUnk                 bool             `json:"fuse_unk"`
	ByteFallback            bool             `json:"byte_fallback"`
	IgnoreMerges            bool             `json:"ignore_merges"`
	Vocab                   map[string]int32 `json:"vocab"`
	Merges                  []mergeRule      `json:"merges"`
}

// mergeRule is written as two tokens in a list, or in one string with a space between them.
type mergeRule struct{ left, right string }

func (m *mergeRule) UnmarshalJSON(raw []byte) error {
	var both []string
	if raw[0] == '"' {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		both = strings.Split(s, " ")
	} else if err := json.Unmarshal(raw, &both); err != nil {
		return err
	}
	if len(both) != 2 {
		return fmt.Errorf("merge %s is not of two tokens", raw)
	}
	m.left, m.right = both[0], both[1]
	return nil
}

func (m mergeRule) MarshalJSON() ([]byte, error) { return plainJSON([2]string{m.left, m.right}) }

// readModel reads the model and the added tokens and returns the ids of all tokens by their spelling.
func (t *Tokenizer) readModel(file tokenizerFile) (map[string]int32, error) {
	var head struct {
		Type *string `json:"type"`
	}
	if err := json.Unmarshal(file.Model, &head); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if head.Type != nil && *head.Type != "BPE" {
		return nil, fmt.Errorf("model: type %q is not supported, only BPE", *head.Type)
	}
	var m bpeModel
	if err := strict(file.Model, &m); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := t.bpe.read(m); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return t.readVocab(m.Vocab, file.AddedTokens)
}

// check refuses options that would change tokens and are not supported.
func (m bpeModel) check() error {
	set := func(s *string) bool { return s != nil && *s != "" }
	switch {
	case m.Vocab == nil || m.Merges == nil:
		return errors.New("vocab or merges are missing")
	case m.Dropout != nil && *m.Dropout != 0:
		return fmt.Errorf("dropout %v is not supported", *m.Dropout)
	case set(m.ContinuingSubwordPrefix):
		return fmt.Errorf("continuing_subword_prefix %q is not supported", *m.ContinuingSubwordPrefix)
	case set(m.EndOfWordSuffix):
		return fmt.Errorf("end_of_word_suffix %q is not supported", *m.EndOfWordSuffix)
	case m.ByteFallback:
		return errors.New("byte_fallback is not supported")
	}
	return nil
}

func (b *bpe) read(m bpeModel) error {
	for i := range b.bytes {
		id, ok := m.Vocab[string(byteChar[i])]
		if !ok {
			return fmt.Errorf("vocab: there is no token for byte 0x%02x", i)
		}
		b.bytes[i] = id
	}
	b.merges = make(map[uint64]merge, len(m.Merges))
	for rank, rule := range m.Merges {
		left, okLeft := m.Vocab[rule.left]
		right, okRight := m.Vocab[rule.right]
		id, ok := m.Vocab[rule.left+rule.right]
		if !okLeft || !okRight || !ok {
			return fmt.Errorf("merges: entry %d, %q and %q: one of them or what they make is not in vocab",
				rank, rule.left, rule.right)
		}
		b.merges[pairKey(left, right)] = merge{int32(rank), id}
	}
	if m.IgnoreMerges {
		b.whole = make(map[string]int32, len(m.Vocab))
		for token, id := range m.Vocab {
			if word, ok := unspell(token); ok {
				b.whole[word] = id
			}
		}
	}
	b.cache.seed = maphash.MakeSeed()
	b.spaces.New = func() any { return newWorkspace() }
	return nil
}

// readVocab fills the table of tokens.
func (t *Tokenizer) readVocab(vocab map[string]int32, added []addedToken) (map[string]int32, error) {
	size := 0
	for token, id := range vocab {
		if id < 0 || id >= vocabLimit || token == "" {
			return nil, fmt.Errorf("model: vocab: token %q with id %d: empty, or the id is not below %d",
				token, id, vocabLimit)
		}
		size = max(size, int(id)+1)
	}
	for _, a := range added {
		if known, ok := vocab[a.Content]; a.ID < 0 || a.ID >= vocabLimit || a.Content == "" || ok && known != a.ID {
			return nil, fmt.Errorf("added_tokens: %q with id %d: empty, or the id is not that in vocab or not below %d",
				a.Content, a.ID, vocabLimit)
		}
		size = max(size, int(a.ID)+1)
	}
	t.tokens, t.special = make([]string, size), make([]bool, size)
	for token, id := range vocab {
		if err := t.setToken(id, token); err != nil {
			return nil, fmt.Errorf("model: vocab: %w", err)
		}
	}
	for _, a := range added {
		t.special[a.ID] = a.Special
		if _, ok := vocab[a.Content]; ok {
			continue
		}
		if err := t.setToken(a.ID, a.Content); err != nil {
			return nil, fmt.Errorf("added_tokens: %w", err)
		}
		vocab[a.Content] = a.ID
	}
	return vocab, nil
}

// setToken enters a token by its spelling. One that spells no bytes stands for itself.
func (t *Tokenizer) setToken(id int32, token string) error {
	if t.tokens[id] != "" {
		return fmt.Errorf("id %d has two tokens, one is %q", id, token)
	}
	text, ok := unspell(token)
	if !ok {
		text = token
	}
	t.tokens[id] = text
	return nil
}
