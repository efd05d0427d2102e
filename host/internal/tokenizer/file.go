package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
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

// assemble makes a tokenizer of its files.
func assemble(f files) (*Tokenizer, error) {
	t := &Tokenizer{files: f}
	var file tokenizerFile
	if err := strict(f.tokenizer, &file); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if file.Version != "1.0" {
		return nil, fmt.Errorf("tokenizer.json: version %q is not understood", file.Version)
	}
	vocab, err := t.readModel(file)
	if err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	if err := t.readPipeline(file); err != nil {
		return nil, fmt.Errorf("tokenizer.json: %w", err)
	}
	return t, t.readConfig(vocab)
}

// readPipeline reads what surrounds the model.
func (t *Tokenizer) readPipeline(file tokenizerFile) error {
	parts := []struct {
		name string
		read func(json.RawMessage) error
		raw  json.RawMessage
	}{
		{"normalizer", t.readNormalizer, file.Normalizer},
		{"pre_tokenizer", t.readPreTokenizer, file.PreTokenizer},
		{"post_processor", t.readPostProcessor, file.PostProcessor},
		{"decoder", readDecoder, file.Decoder},
	}
	for _, p := range parts {
		if err := p.read(p.raw); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return t.readAdded(file.AddedTokens)
}

func (t *Tokenizer) readNormalizer(raw json.RawMessage) error {
	elements, err := flatten(raw)
	if err != nil {
		return err
	}
	t.normalize = func(s string) string { return s }
	for _, e := range elements {
		if e.kind != "NFC" {
			return e.unknown()
		}
		if err := e.decode(&struct{ Type string }{}); err != nil {
			return err
		}
		t.normalize = nfc
	}
	return nil
}

func (t *Tokenizer) readAdded(tokens []addedToken) error {
	var before, within []addedToken
	for _, a := range tokens {
		if !a.Special && (a.LStrip || a.RStrip || a.SingleWord) {
			return fmt.Errorf("added_tokens: %q: lstrip, rstrip and single_word are not supported", a.Content)
		}
		if a.Normalized {
			a.Content = t.normalize(a.Content)
			within = append(within, a)
		} else {
			before = append(before, a)
		}
	}
	t.before, t.within = newFinder(before), newFinder(within)
	return nil
}

func readDecoder(raw json.RawMessage) error {
	elements, err := flatten(raw)
	if err != nil {
		return err
	}
	if len(elements) != 1 {
		return errors.New("it must be ByteLevel and nothing else")
	}
	if e := elements[0]; e.kind != "ByteLevel" {
		return e.unknown()
	}
	return elements[0].decode(&byteLevel{})
}

// An element is one object of a pipeline.
type element struct {
	kind string
	raw  json.RawMessage
}

func (e element) unknown() error { return fmt.Errorf("type %q is not supported", e.kind) }

// decode reads the element into v; keys that v lacks are errors.
func (e element) decode(v any) error {
	if err := strict(e.raw, v); err != nil {
		return fmt.Errorf("%s: %w", e.kind, err)
	}
	return nil
}

// sequence is an element that stands for several. Each part of the file has its own name for the list.
type sequence struct {
	Type          string            `json:"type"`
	Normalizers   []json.RawMessage `json:"normalizers"`
	PreTokenizers []json.RawMessage `json:"pretokenizers"`
	Processors    []json.RawMessage `json:"processors"`
	Decoders      []json.RawMessage `json:"decoders"`
}

// flatten lists the elements of a part of the file: none for null, several for a Sequence.
func flatten(raw json.RawMessage) ([]element, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, err
	}
	if head.Type != "Sequence" {
		return []element{{head.Type, raw}}, nil
	}
	var seq sequence
	if err := strict(raw, &seq); err != nil {
		return nil, fmt.Errorf("in Sequence: %w", err)
	}
	var all []element
	for _, list := range [][]json.RawMessage{seq.Normalizers, seq.PreTokenizers, seq.Processors, seq.Decoders} {
		for _, raw := range list {
			more, err := flatten(raw)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return all, nil
}

// strict decodes JSON that is nothing but a v.
func strict(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("there is more after the end of the JSON value")
	}
	return nil
}
