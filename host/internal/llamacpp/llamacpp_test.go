package llamacpp

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/model"
)

func TestRowsChangePlacesAndBack(t *testing.T) {
	// two heads of four rows of one value
	rows := []float32{0, 1, 2, 3, 10, 11, 12, 13}
	got := interleaved(rows, 2, 1)
	if want := []float32{0, 2, 1, 3, 10, 12, 11, 13}; !slices.Equal(got, want) {
		t.Errorf("interleaved %v, want %v", got, want)
	}
	wide := make([]float32, 3*8*6)
	for i := range wide {
		wide[i] = float32(i)
	}
	if !slices.Equal(apart(interleaved(wide, 3, 6), 3, 6), wide) {
		t.Error("rows do not come back")
	}
}

func TestTensorsHaveLlamaCppsNames(t *testing.T) {
	llama, gemma := architectures["llama"], architectures["gemma3_text"]
	for _, c := range []struct {
		of         architecture
		name, want string
	}{
		{llama, "model.embed_tokens.weight", "token_embd.weight"},
		{llama, "model.layers.11.self_attn.q_proj.bias", "blk.11.attn_q.bias"},
		{llama, "model.layers.0.post_attention_layernorm.weight", "blk.0.ffn_norm.weight"},
		{gemma, "model.layers.0.post_attention_layernorm.weight", "blk.0.post_attention_norm.weight"},
		{gemma, "model.layers.0.pre_feedforward_layernorm.weight", "blk.0.ffn_norm.weight"},
	} {
		if got, err := c.of.tensorName(c.name); got != c.want || err != nil {
			t.Errorf("%s is %q, %v; want %q", c.name, got, err, c.want)
		}
	}
	for _, name := range []string{"score.weight", "model.layers.0", "model.layers.0.self_attn.rotary.weight"} {
		if got, err := llama.tensorName(name); err == nil {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestWhatLlamaCppComputesInAnotherWayIsRefused(t *testing.T) {
	const sizes = `"vocab_size": 8, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "head_dim": 4,
		"intermediate_size": 8, "max_position_embeddings": 64`
	for keys, want := range map[string]string{
		`"model_type": "bert", "architectures": ["BertModel"]`:                                                                                                    "type bert",
		`"model_type": "llama", "architectures": ["LlamaForSequenceClassification"]`:                                                                              "only language models",
		`"model_type": "mistral", "architectures": ["MistralForCausalLM"], "sliding_window": 8`:                                                                   "no sliding window",
		`"model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "query_pre_attn_scalar": 9`:                                                         "query_pre_attn_scalar 9",
		`"model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "query_pre_attn_scalar": 4, "layer_types": ["full_attention", "sliding_attention"]`: "layer 0 is of type full_attention",
		`"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "rope_scaling": {"rope_type": "dynamic", "factor": 2}`:                                     "rope_scaling dynamic",
	} {
		var c model.Config
		if err := json.Unmarshal([]byte("{"+keys+","+sizes+"}"), &c); err != nil {
			t.Fatal(err)
		}
		if _, err := architectureOf(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", keys, err, want)
		}
	}
}
