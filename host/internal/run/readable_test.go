package run

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/model"
	"github.com/carebot-llm/carebot/host/internal/tokenizer"
)

// readableModels are configurations that every reader knows, but for the sizes that all share.
var readableModels = map[string]string{
	"llama":   `"model_type": "llama", "architectures": ["LlamaForCausalLM"]`,
	"llama3":  `"model_type": "llama", "architectures": ["LlamaForCausalLM"], "tie_word_embeddings": true, "rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}`,
	"mistral": `"model_type": "mistral", "architectures": ["MistralForCausalLM"], "sliding_window": null`,
	"qwen2":   `"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "tie_word_embeddings": true`,
	"qwen3":   `"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]`,
	"gemma3":  `"model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "query_pre_attn_scalar": 64, "sliding_window": 512, "hidden_activation": "gelu_pytorch_tanh"`,
}

// writeReadable makes a model directory with random weights and a tokenizer of its own.
func writeReadable(t *testing.T, dir, keys string) {
	t.Helper()
	tok := readableTokenizer(t)
	text := fmt.Sprintf(`{%s, "vocab_size": %d, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2, "num_attention_heads": 4,
		"num_key_value_heads": 2, "head_dim": 64, "max_position_embeddings": 512, "initializer_range": 0.1, "rms_norm_eps": 1e-6,
		"bos_token_id": null, "eos_token_id": null, "pad_token_id": null}`, keys, tok.Size())
	var cfg model.Config
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		t.Fatal(err)
	}
	p := newProject(t, nil).process(t, "mini.yaml")
	dev, err := p.openDevice()
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.New(dev, cfg, model.HeadLM, 5)
	if err != nil {
		t.Fatal(err)
	}
	s := p.served("random", "", m, tok)
	defer s.close()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := s.write(dir, "f32", 0); err != nil {
		t.Fatal(err)
	}
}

func readableTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	p := newProject(t, nil)
	p.run(t, "mini.yaml")
	tok, err := tokenizer.Load(filepath.Join(p.dir, "runs", "mini", "words"))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// readableStages train an adapter and export the base model and it in all ways.
const readableStages = `name: out
device: cpu
datasets:
  texts: {files: [texts.jsonl], format: text, language: en}
models:
  base: {from: %s}
stages:
  tuned:
    kind: train
    init: base
    objective: next_token
    data: texts
    over_length: split
    steps: 4
    batch_size: 2
    learning_rate: 1e-2
    lora: {rank: 4, targets: [all-linear]}
  safetensors-f32: {kind: export, model: base, shard_size: 1MiB}
  safetensors-bf16: {kind: export, model: base, outtype: bf16}
  safetensors-f16: {kind: export, model: base, outtype: f16}
  merged: {kind: export, model: tuned}
  adapter: {kind: export, model: tuned, format: adapter}
  gguf-f32: {kind: export, model: base, format: gguf}
  gguf-bf16: {kind: export, model: base, format: gguf, outtype: bf16}
  gguf-f16: {kind: export, model: base, format: gguf, outtype: f16}
  gguf-q8_0: {kind: export, model: base, format: gguf, outtype: q8_0}
  gguf-q4_k: {kind: export, model: base, format: gguf, outtype: q4_k}
`

// exportReadable trains and exports a model for all readers.
func exportReadable(t *testing.T, base string) *project {
	t.Helper()
	p := newProject(t, map[string]string{"export.yaml": fmt.Sprintf(readableStages, base)})
	p.run(t, "export.yaml")
	return p
}
