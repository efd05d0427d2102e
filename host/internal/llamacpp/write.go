package llamacpp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carebot-llm/carebot/host/internal/gguf"
	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// Write writes a language model, its tokenizer and chat template to a GGUF file. Matrices are stored in the type; those
// whose rows are no whole blocks of it, and the embedding and the head when the type is Q4_K, in Q8_0 or F16. Vectors
// stay F32.
func Write(path, title string, m *model.Model, tok *tokenizer.Tokenizer, kind gguf.Type) error {
	x, err := newFile(m, tok, kind)
	if err != nil {
		return fmt.Errorf("write %s for llama.cpp: %w", path, err)
	}
	if err := gguf.Write(path, x.metadata(title), x.tensors); err != nil {
		return err
	}
	return x.verify(path)
}

// verify reads a file back: every value must be what was written as its type rounds it.
func (x *file) verify(path string) error {
	f, err := gguf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, t := range x.tensors {
		got := make([]float32, len(t.Data))
		if err := f.Read(t.Name, got); err != nil {
			return err
		}
		if !slices.Equal(got, t.Type.Round(t.Data)) {
			return fmt.Errorf("%s: tensor %s is not what was written", path, t.Name)
		}
	}
	return nil
}

// file is what a GGUF file will hold.
type file struct {
	architecture
	cfg     model.Config
	tok     *tokenizer.Tokenizer
	vocab   *tokenizer.LlamaCpp
	kind    gguf.Type
	tensors []gguf.Tensor
}

func newFile(m *model.Model, tok *tokenizer.Tokenizer, kind gguf.Type) (*file, error) {
	cfg := m.Config()
	a, err := architectureOf(cfg)
	if err != nil {
		return nil, err
	}
	vocab, err := tok.LlamaCpp(cfg.VocabSize)
	if err != nil {
		return nil, err
	}
	x := &file{architecture: a, cfg: cfg, tok: tok, vocab: vocab, kind: kind}
	if s := cfg.RopeScaling; s != nil && s.Type == "llama3" {
		factors := cfg.Slowdown()
		x.tensors = append(x.tensors, gguf.Tensor{Name: "rope_freqs.weight", Type: gguf.F32, Shape: []int{len(factors)}, Data: factors})
	}
	weights, err := m.Tensors()
	if err != nil {
		return nil, err
	}
	for _, w := range weights {
		t, err := x.tensor(w)
		if err != nil {
			return nil, err
		}
		x.tensors = append(x.tensors, t)
	}
	return x, nil
}

// tensor is a weight under llama.cpp's name, in its order and type.
func (x *file) tensor(w model.NamedTensor) (gguf.Tensor, error) {
	name, err := x.tensorName(w.Name)
	if err != nil {
		return gguf.Tensor{}, err
	}
	data := w.Data
	if heads := x.headsOf(name, x.cfg.NumAttentionHeads, x.cfg.NumKeyValueHeads); heads > 0 {
		data = interleaved(data, heads, len(data)/w.Shape[0])
	}
	if x.normsAdd && isNorm(name) {
		data = slices.Clone(data)
		for i := range data {
			data[i]++
		}
	}
	return gguf.Tensor{Name: name, Type: x.storage(name, w.Shape), Shape: w.Shape, Data: data}, nil
}

func isNorm(name string) bool { return strings.HasSuffix(name, "norm.weight") }

// storage is the type that a tensor is stored in.
func (x *file) storage(name string, shape []int) gguf.Type {
	if len(shape) == 1 || x.kind == gguf.F32 {
		return gguf.F32
	}
	cols := shape[len(shape)-1]
	outside := name == "token_embd.weight" || name == "output.weight"
	for _, kind := range []gguf.Type{x.kind, gguf.Q8_0} {
		if cols%kind.Block() == 0 && !(outside && kind == gguf.Q4_K) {
			return kind
		}
	}
	return gguf.F16
}
