package tokenizer

import (
	"encoding/json"
	"fmt"
	"maps"
)

// tokenizerFile is the content of tokenizer.json. Truncation and padding are settings of a call in Hugging Face's
// library, which transformers sets anew each time: cutting is the data's business, so they are read and not applied.
type tokenizerFile struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

// readTokenizerFile makes a tokenizer of tokenizer.json.
func readTokenizerFile(raw []byte) (*Tokenizer, vocabulary, error) {
	var file tokenizerFile
	if err := strict(raw, &file); err != nil {
		return nil, nil, err
	}
	if file.Version != "1.0" {
		return nil, nil, fmt.Errorf("version %q is not understood", file.Version)
	}
	return file.tokenizer()
}

// tokenizer makes what the file describes. The vocabulary has the added tokens too.
func (f *tokenizerFile) tokenizer() (*Tokenizer, vocabulary, error) {
	t := newTokenizer()
	var err error
	var shifts string
	if t.normalize, shifts, err = readNormalizer(f.Normalizer); err != nil {
		return nil, nil, fmt.Errorf("normalizer: %w", err)
	}
	c, err := f.readCore(t, shifts)
	if err != nil {
		return nil, nil, err
	}
	if t.decoding, err = readDecoder(f.Decoder); err != nil {
		return nil, nil, fmt.Errorf("decoder: %w", err)
	}
	vocab, err := t.readVocab(c.vocab, f.AddedTokens)
	if err != nil {
		return nil, nil, err
	}
	if err := t.readPostProcessor(f.PostProcessor); err != nil {
		return nil, nil, fmt.Errorf("post_processor: %w", err)
	}
	return t, vocab, t.readAdded(f.AddedTokens)
}

// readCore reads the pre-tokenizer and the model. If ByteLevel stands between them, the model may take bytes as they
// are.
func (f *tokenizerFile) readCore(t *Tokenizer, shifts string) (core, error) {
	cuts, err := flatten(f.PreTokenizer, "pretokenizers")
	if err != nil {
		return core{}, fmt.Errorf("pre_tokenizer: %w", err)
	}
	c, err := readModel(f.Model, len(cuts) > 0 && cuts[len(cuts)-1].kind == "ByteLevel")
	if err != nil {
		return core{}, fmt.Errorf("model: %w", err)
	}
	t.model = c.model
	if t.cutting, err = readPreTokenizer(cuts, c.bytes, shifts); err != nil {
		return core{}, fmt.Errorf("pre_tokenizer: %w", err)
	}
	return c, nil
}

// readAdded makes the finders. A token that is found in normalized text is decoded to that text, and if it is another
// one than the token's own, it counts as special no more: so does the Hugging Face library.
func (t *Tokenizer) readAdded(tokens []addedToken) error {
	var before, within []addedToken
	for _, a := range tokens {
		if !a.Normalized {
			before = append(before, a)
			continue
		}
		normal := t.normalize(a.Content)
		if normal == "" {
			return fmt.Errorf("added_tokens: nothing is left of %q once it is normalized", a.Content)
		}
		t.special[a.ID] = t.special[a.ID] && normal == a.Content
		a.Content = normal
		within = append(within, a)
		if t.tokens[a.ID] = normal; t.decoding.bytes {
			t.tokens[a.ID] = spelledBytes(normal)
		}
	}
	t.before, t.within = newFinder(before), newFinder(within)
	return nil
}

// readVocab fills the table of tokens.
func (t *Tokenizer) readVocab(model vocabulary, added []addedToken) (vocabulary, error) {
	vocab := make(vocabulary, len(model)+len(added))
	maps.Copy(vocab, model)
	for _, a := range added {
		if known, ok := vocab[a.Content]; a.Content == "" || ok && known != a.ID {
			return nil, fmt.Errorf("added_tokens: %q with id %d is empty or has another id already", a.Content, a.ID)
		}
		vocab[a.Content] = a.ID
	}
	if err := vocab.check(); err != nil {
		return nil, err
	}
	size := 0
	for _, id := range vocab {
		size = max(size, int(id)+1)
	}
	t.tokens, t.special = make([]string, size), make([]bool, size)
	for token, id := range vocab {
		if t.tokens[id] != "" {
			return nil, fmt.Errorf("vocab: id %d has two tokens, %q and %q", id, t.tokens[id], token)
		}
		t.tokens[id] = token
	}
	for _, a := range added {
		t.special[a.ID] = t.special[a.ID] || a.Special
	}
	if t.decoding.bytes {
		for id, token := range t.tokens {
			t.tokens[id] = spelledBytes(token)
		}
	}
	return vocab, nil
}
