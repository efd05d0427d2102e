package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// LlamaCpp is a tokenizer as llama.cpp's files describe it.
type LlamaCpp struct {
	Model          string // gpt2 is byte-level BPE, llama is SentencePiece's BPE
	Pre            string // gpt2: how texts are cut before, by llama.cpp's name
	Tokens         []string
	Types          []int32   // of the tokens, by llama.cpp's numbers
	Scores         []float32 // llama: the higher, the earlier a token is made
	Merges         []string  // gpt2: pairs, with a space between
	Unknown        int32     // id of the unknown token; -1 is none
	AddBOS, AddEOS bool      // to every text
	AddSpacePrefix bool      // llama: before every text
	Template       string    // of chats; empty is none
}

// llama.cpp's types of tokens.
const (
	llamaNormal      = 1
	llamaUnknown     = 2
	llamaControl     = 3
	llamaUserDefined = 4
	llamaUnused      = 5
	llamaByte        = 6
)

// llamaPre are llama.cpp's names of the patterns that cut texts before byte-level BPE.
var llamaPre = map[string]string{gpt2Pattern: "gpt-2", llama3Pattern: "llama-bpe", qwen2Pattern: "qwen2"}

// LlamaCpp describes the tokenizer for llama.cpp, with tokens that nothing uses up to the size of the model's vocabulary. A
// tokenizer that llama.cpp would not follow to the letter is an error that says why.
func (t *Tokenizer) LlamaCpp(size int) (*LlamaCpp, error) {
	x, err := t.llamaCpp(size)
	if err != nil {
		return nil, fmt.Errorf("describe the tokenizer for llama.cpp: %w", err)
	}
	return x, nil
}

func (t *Tokenizer) llamaCpp(size int) (*LlamaCpp, error) {
	if len(t.files.vocabulary) != 1 || t.files.vocabulary[0].name != "tokenizer.json" {
		return nil, errors.New("there is no tokenizer.json")
	}
	var file tokenizerFile
	var m bpeModel
	if err := json.Unmarshal(t.files.vocabulary[0].content, &file); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(file.Model, &m); err != nil || m.Type != "BPE" && m.Type != "" {
		return nil, fmt.Errorf("the model is %q, only BPE is written", m.Type)
	}
	if t.Size() > size {
		return nil, fmt.Errorf("%d tokens are more than the model's vocabulary of %d", t.Size(), size)
	}
	x := &LlamaCpp{
		Unknown: none, Template: t.template,
		AddBOS: slices.Contains(t.prefix, t.bos), AddEOS: slices.Contains(t.suffix, t.eos),
	}
	x.list(m, file.AddedTokens, size)
	if m.ByteFallback {
		return x, x.sentencePiece(file, m)
	}
	return x, x.byteLevel(file, m)
}

// list fills in the tokens and their types.
func (x *LlamaCpp) list(m bpeModel, added []addedToken, size int) {
	x.Tokens, x.Types = make([]string, size), slices.Repeat([]int32{llamaUnused}, size)
	for id := range x.Tokens {
		x.Tokens[id] = fmt.Sprintf("[PAD%d]", id)
	}
	for token, id := range m.Vocab {
		x.Tokens[id], x.Types[id] = token, llamaNormal
		if _, err := byteToken(token); err == nil && m.ByteFallback {
			x.Types[id] = llamaByte
		}
	}
	for _, a := range added {
		x.Tokens[a.ID], x.Types[a.ID] = a.Content, llamaUserDefined
		if a.Special {
			x.Types[a.ID] = llamaControl
		}
	}
	if m.UnkToken != nil {
		if id, ok := m.Vocab[*m.UnkToken]; ok {
			x.Unknown, x.Types[id] = id, llamaUnknown
		}
	}
}

// byteLevel is GPT-2's kind: one of the patterns that llama.cpp knows, then ByteLevel, then merges.
func (x *LlamaCpp) byteLevel(file tokenizerFile, m bpeModel) error {
	cuts, err := flatten(file.PreTokenizer, "pretokenizers")
	if err != nil {
		return err
	}
	pattern, err := cutPattern(cuts)
	if err != nil {
		return err
	}
	x.Model, x.Pre = "gpt2", llamaPre[pattern]
	if x.Pre == "" {
		return fmt.Errorf("llama.cpp has no name for the pre-tokenizer pattern %q", pattern)
	}
	if name := string(file.Normalizer); name != "" && name != "null" && !composes(file.Normalizer) {
		return fmt.Errorf("llama.cpp does not apply the normalizer %s", name)
	}
	for _, r := range m.Merges {
		x.Merges = append(x.Merges, r.left+" "+r.right)
	}
	return nil
}

// cutPattern is the regular expression of pre-tokenizers that are Split and ByteLevel, or ByteLevel alone.
func cutPattern(cuts []element) (string, error) {
	var all []preTokenizerElement
	for _, raw := range cuts {
		var e preTokenizerElement
		if err := raw.decode(&e, preTokenizerKeys); err != nil {
			return "", err
		}
		all = append(all, e)
	}
	last := len(all) - 1
	switch {
	case last < 0 || last > 1 || all[last].Type != "ByteLevel":
		return "", errors.New("the pre-tokenizer is not ByteLevel, or Split and ByteLevel")
	case last == 0 && (all[0].UseRegex == nil || *all[0].UseRegex):
		return gpt2Pattern, nil
	case last == 1 && all[0].Type == "Split" && all[0].Pattern != nil && all[0].Pattern.Regex != nil:
		return *all[0].Pattern.Regex, nil
	}
	return "", errors.New("the pre-tokenizer has no regular expression")
}

// composes says that a normalizer is NFC alone, which llama.cpp leaves out as texts mostly are in it.
func composes(normalizer json.RawMessage) bool {
	var n struct{ Type string }
	return json.Unmarshal(normalizer, &n) == nil && n.Type == "NFC"
}

// sentencePiece is Llama 2's kind. What a merge makes is scored by its rank.
func (x *LlamaCpp) sentencePiece(file tokenizerFile, m bpeModel) error {
	x.Model, x.Scores = "llama", make([]float32, len(x.Tokens))
	for id := range x.Scores {
		x.Scores[id] = -float32(len(m.Merges))
	}
	for rank, r := range slices.Backward(m.Merges) { // of several merges into a token the first counts
		x.Scores[m.Vocab[r.left+r.right]] = -float32(rank)
	}
	probe := struct {
		Normalizer, PreTokenizer json.RawMessage
	}{file.Normalizer, file.PreTokenizer}
	raw, err := json.Marshal(probe)
	if err != nil {
		return err
	}
	x.AddSpacePrefix, err = spacePrefix(raw)
	return err
}

// spacePrefix reads whether SentencePiece's way with spaces begins each text with one.
func spacePrefix(raw json.RawMessage) (bool, error) {
	var f struct {
		Normalizer   *struct{ Normalizers []struct{ Type string } }
		PreTokenizer *struct {
			Type          string
			PrependScheme string `json:"prepend_scheme"`
		}
	}
	if err := json.Unmarshal(raw, &f); err != nil {
		return false, err
	}
	if f.PreTokenizer != nil && f.PreTokenizer.Type == "Metaspace" {
		return f.PreTokenizer.PrependScheme != "never", nil
	}
	if f.Normalizer == nil || f.PreTokenizer != nil {
		return false, errors.New("llama.cpp knows no such treatment of spaces")
	}
	for _, n := range f.Normalizer.Normalizers {
		if n.Type == "Prepend" {
			return true, nil
		}
	}
	return false, nil
}
