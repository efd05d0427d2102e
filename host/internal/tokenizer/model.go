package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A model turns a piece of text, which is not empty, into tokens and appends them.
type model interface {
	encode(ids []int32, piece string) []int32
}

// A core is a model with its vocabulary. bytes says that it takes pieces as they are where a byte-level tokenizer has
// their bytes spelt.
type core struct {
	model model
	vocab vocabulary
	bytes bool
}

// readModel reads the model. byteLevel says that the pieces have only to be spelt byte by byte before they go to it.
func readModel(raw json.RawMessage, byteLevel bool) (core, error) {
	var head struct {
		Type *string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return core{}, err
	}
	kind := "BPE" // files of 2020 lack the type
	if head.Type != nil {
		kind = *head.Type
	}
	switch kind {
	case "BPE":
		return readBPE(raw, byteLevel)
	case "Unigram":
		return readUnigram(raw)
	case "WordPiece":
		return readWordPiece(raw)
	case "WordLevel":
		return readWordLevel(raw)
	}
	return core{}, fmt.Errorf("type %q is not supported", kind)
}

// bpeModel is the BPE model of tokenizer.json.
type bpeModel struct {
	Type                    string      `json:"type"`
	Dropout                 *float64    `json:"dropout"`
	UnkToken                *string     `json:"unk_token"`
	ContinuingSubwordPrefix *string     `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string     `json:"end_of_word_suffix"`
	FuseUnk                 bool        `json:"fuse_unk"`
	ByteFallback            bool        `json:"byte_fallback"`
	IgnoreMerges            bool        `json:"ignore_merges"`
	Vocab                   vocabulary  `json:"vocab"`
	Merges                  []mergeRule `json:"merges"`
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

func readBPE(raw json.RawMessage, byteLevel bool) (core, error) {
	var m bpeModel
	if err := strict(raw, &m); err != nil {
		return core{}, err
	}
	if m.Vocab == nil || m.Merges == nil {
		return core{}, errors.New("vocab or merges are missing")
	}
	if err := m.Vocab.check(); err != nil {
		return core{}, err
	}
	if m.Dropout != nil && *m.Dropout != 0 {
		return core{}, fmt.Errorf("dropout %v is not supported", *m.Dropout)
	}
	merges, err := m.merges()
	if err != nil {
		return core{}, err
	}
	b := newBPE(merges)
	if m.IgnoreMerges {
		b.whole = m.Vocab
	}
	if byteLevel && m.byBytes(b) {
		return core{newCache(b), m.Vocab, true}, nil
	}
	letters, err := m.letters()
	if err != nil {
		return core{}, err
	}
	b.spell = letters.spell
	c := core{newCache(b), m.Vocab, false}
	if !m.IgnoreMerges && letters.prefix == "" && letters.suffix == "" {
		c.model = inWords(b, m.Vocab)
	}
	return c, nil
}

// merges returns the merges by the ids of both tokens. The right one does not repeat the prefix of its kind.
func (m *bpeModel) merges() (map[uint64]merge, error) {
	prefix := valueOf(m.ContinuingSubwordPrefix)
	merges := make(map[uint64]merge, len(m.Merges))
	for rank, rule := range m.Merges {
		left, okLeft := m.Vocab[rule.left]
		right, okRight := m.Vocab[rule.right]
		id, ok := m.Vocab[rule.left+strings.TrimPrefix(rule.right, prefix)]
		if !okLeft || !okRight || !ok {
			return nil, fmt.Errorf("merges: entry %d, %q and %q: one of them or what they make is not in vocab",
				rank, rule.left, rule.right)
		}
		merges[pairKey(left, right)] = merge{int32(rank), id}
	}
	return merges, nil
}

func valueOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// byBytes lets the model spell pieces by their bytes, of which all must be tokens. Nothing is unknown then.
func (m *bpeModel) byBytes(b *bpe) bool {
	var table [256]int32
	for i := range table {
		id, ok := m.Vocab[string(byteChar[i])]
		if table[i] = id; !ok {
			return false
		}
	}
	if valueOf(m.ContinuingSubwordPrefix) != "" || valueOf(m.EndOfWordSuffix) != "" {
		return false
	}
	b.spell = byBytes(&table)
	if m.IgnoreMerges {
		b.whole = make(map[string]int32, len(m.Vocab))
		for token, id := range m.Vocab {
			if word, ok := unspell(token); ok {
				b.whole[word] = id
			}
		}
	}
	return true
}

// letters lets the model spell pieces by their characters.
func (m *bpeModel) letters() (*letters, error) {
	l := &letters{
		tokens: m.Vocab, unknown: none, fuse: m.FuseUnk,
		prefix: valueOf(m.ContinuingSubwordPrefix), suffix: valueOf(m.EndOfWordSuffix),
	}
	if m.ByteFallback {
		l.bytes = byteTable(m.Vocab)
	}
	if m.UnkToken != nil {
		id, ok := m.Vocab[*m.UnkToken]
		if l.unknown = id; !ok {
			return nil, fmt.Errorf("unk_token %q is not in vocab", *m.UnkToken)
		}
	}
	return l, nil
}

// metaMark is what SentencePiece writes for a space.
const metaMark = "▁"

// inWords lets a BPE model that is given whole texts work word by word, and remember them, where that changes nothing.
func inWords(b *bpe, vocab vocabulary) model {
	if _, ok := vocab[metaMark]; !ok {
		return newCache(b)
	}
	for token := range vocab {
		if strings.Contains(strings.TrimLeft(token, metaMark), metaMark) {
			return newCache(b)
		}
	}
	return &marked{newCache(b), metaMark}
}

// unigramModel is the Unigram model of tokenizer.json.
type unigramModel struct {
	Type         string       `json:"type"`
	UnkID        *int32       `json:"unk_id"`
	Vocab        []scoredText `json:"vocab"`
	ByteFallback bool         `json:"byte_fallback"`
}

// scoredText is a token with its score, written as a list of both.
type scoredText struct {
	text  string
	score float64
}

func (s *scoredText) UnmarshalJSON(raw []byte) error {
	return json.Unmarshal(raw, &[2]any{&s.text, &s.score})
}

func readUnigram(raw json.RawMessage) (core, error) {
	var m unigramModel
	if err := strict(raw, &m); err != nil {
		return core{}, err
	}
	if m.UnkID == nil || *m.UnkID < 0 || int(*m.UnkID) >= len(m.Vocab) {
		return core{}, errors.New("unk_id is missing or not in vocab, so there are texts that have no tokens")
	}
	u := newUnigram()
	u.unknown, u.fused = *m.UnkID, true
	vocab := make(vocabulary, len(m.Vocab))
	var entries []entry
	least := m.Vocab[0].score
	for id, token := range m.Vocab {
		vocab[token.text] = int32(id)
		u.scores = append(u.scores, token.score)
		least = min(least, token.score)
		entries = append(entries, entry{token.text, int32(id)})
	}
	if err := vocab.check(); err != nil {
		return core{}, err
	}
	u.trie, u.penalty = newTrie(entries), least-unknownPenalty
	if m.ByteFallback {
		u.bytes = byteTable(vocab)
	}
	return core{newCache(u), vocab, false}, nil
}

func readWordPiece(raw json.RawMessage) (core, error) {
	m := struct {
		Type   string     `json:"type"`
		Unk    string     `json:"unk_token"`
		Prefix *string    `json:"continuing_subword_prefix"`
		Limit  *int       `json:"max_input_chars_per_word"`
		Vocab  vocabulary `json:"vocab"`
	}{}
	if err := strict(raw, &m); err != nil {
		return core{}, err
	}
	unknown, ok := m.Vocab[m.Unk]
	if !ok || m.Prefix == nil || m.Limit == nil {
		return core{}, fmt.Errorf("unk_token %q is not in vocab, or continuing_subword_prefix or "+
			"max_input_chars_per_word is missing", m.Unk)
	}
	if err := m.Vocab.check(); err != nil {
		return core{}, err
	}
	var first, rest []entry
	for token, id := range m.Vocab {
		first = append(first, entry{token, id})
		if end, ok := strings.CutPrefix(token, *m.Prefix); ok && end != "" {
			rest = append(rest, entry{end, id})
		}
	}
	return core{newCache(&wordPiece{newTrie(first), newTrie(rest), unknown, *m.Limit}), m.Vocab, false}, nil
}

func readWordLevel(raw json.RawMessage) (core, error) {
	m := struct {
		Type  string     `json:"type"`
		Unk   string     `json:"unk_token"`
		Vocab vocabulary `json:"vocab"`
	}{}
	if err := strict(raw, &m); err != nil {
		return core{}, err
	}
	unknown, ok := m.Vocab[m.Unk]
	if !ok {
		return core{}, fmt.Errorf("unk_token %q is not in vocab", m.Unk)
	}
	if err := m.Vocab.check(); err != nil {
		return core{}, err
	}
	return core{&wordLevel{m.Vocab, unknown}, m.Vocab, false}, nil
}
