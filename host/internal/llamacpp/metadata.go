package llamacpp

import (
	"slices"

	"github.com/carebot-llm/carebot/host/internal/gguf"
)

// fileTypes are llama.cpp's numbers of what most of a file's weights are stored in.
var fileTypes = map[gguf.Type]uint32{gguf.F32: 0, gguf.F16: 1, gguf.Q8_0: 7, gguf.Q4_K: 14, gguf.BF16: 32}

// quantization is the version of the block types.
const quantization = 2

func (x *file) metadata(title string) []gguf.Entry {
	return slices.Concat([]gguf.Entry{
		{Key: "general.architecture", Value: x.name},
		{Key: "general.name", Value: title},
		{Key: "general.file_type", Value: fileTypes[x.kind]},
		{Key: "general.quantization_version", Value: uint32(quantization)},
	}, x.shape(), x.scaling(), x.vocabulary(), x.specials())
}

// shape is the model's sizes.
func (x *file) shape() []gguf.Entry {
	c := x.cfg
	number := func(key string, n int) gguf.Entry { return gguf.Entry{Key: x.name + "." + key, Value: uint32(n)} }
	entries := []gguf.Entry{
		number("vocab_size", c.VocabSize),
		number("context_length", c.MaxPositionEmbeddings),
		number("embedding_length", c.HiddenSize),
		number("block_count", c.NumHiddenLayers),
		number("feed_forward_length", c.IntermediateSize),
		number("rope.dimension_count", c.HeadDim),
		number("attention.head_count", c.NumAttentionHeads),
		number("attention.head_count_kv", c.NumKeyValueHeads),
		number("attention.key_length", c.HeadDim),
		number("attention.value_length", c.HeadDim),
		{Key: x.name + ".attention.layer_norm_rms_epsilon", Value: float32(c.RMSNormEps)},
		{Key: x.name + ".rope.freq_base", Value: float32(c.RopeTheta)},
	}
	if c.SlidingWindow > 0 && x.name == "gemma3" {
		entries = append(entries, number("attention.sliding_window", c.SlidingWindow),
			gguf.Entry{Key: x.name + ".rope.freq_base_swa", Value: float32(c.LocalRopeTheta)})
	}
	return entries
}

// scaling is that of rotary positions; that of Llama 3 is in a tensor.
func (x *file) scaling() []gguf.Entry {
	s := x.cfg.RopeScaling
	if s == nil || s.Type == "llama3" {
		return nil
	}
	entries := []gguf.Entry{
		{Key: x.name + ".rope.scaling.type", Value: s.Type},
		{Key: x.name + ".rope.scaling.factor", Value: float32(s.Factor)},
	}
	if s.OriginalContext > 0 {
		entries = append(entries, gguf.Entry{Key: x.name + ".rope.scaling.original_context_length", Value: uint32(s.OriginalContext)})
	}
	return entries
}

func (x *file) vocabulary() []gguf.Entry {
	t := x.vocab
	entries := []gguf.Entry{{Key: "tokenizer.ggml.model", Value: t.Model}}
	if t.Pre != "" {
		entries = append(entries, gguf.Entry{Key: "tokenizer.ggml.pre", Value: t.Pre})
	}
	entries = append(entries, gguf.Entry{Key: "tokenizer.ggml.tokens", Value: t.Tokens},
		gguf.Entry{Key: "tokenizer.ggml.token_type", Value: t.Types})
	if t.Scores != nil {
		return append(entries, gguf.Entry{Key: "tokenizer.ggml.scores", Value: t.Scores},
			gguf.Entry{Key: "tokenizer.ggml.add_space_prefix", Value: t.AddSpacePrefix})
	}
	return append(entries, gguf.Entry{Key: "tokenizer.ggml.merges", Value: t.Merges})
}

// specials are the ids of special tokens, what is added to texts, and the chat template.
func (x *file) specials() []gguf.Entry {
	var entries []gguf.Entry
	for _, s := range []struct {
		key string
		of  func() (int32, bool)
	}{
		{"bos", x.tok.BOS}, {"eos", x.tok.EOS}, {"padding", x.tok.PAD},
		{"unknown", func() (int32, bool) { return x.vocab.Unknown, x.vocab.Unknown >= 0 }},
		{"eot", x.tok.EndOfTurn},
	} {
		if id, ok := s.of(); ok {
			entries = append(entries, gguf.Entry{Key: "tokenizer.ggml." + s.key + "_token_id", Value: uint32(id)})
		}
	}
	entries = append(entries, gguf.Entry{Key: "tokenizer.ggml.add_bos_token", Value: x.vocab.AddBOS},
		gguf.Entry{Key: "tokenizer.ggml.add_eos_token", Value: x.vocab.AddEOS})
	if x.vocab.Template != "" {
		entries = append(entries, gguf.Entry{Key: "tokenizer.chat_template", Value: x.vocab.Template})
	}
	return entries
}
