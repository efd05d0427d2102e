package llamacpp

import (
	"fmt"
	"strings"
)

// outside are the tensors that no layer has.
var outside = map[string]string{
	"model.embed_tokens.weight": "token_embd.weight",
	"model.norm.weight":         "output_norm.weight",
	"lm_head.weight":            "output.weight",
}

// inside are the parts of a layer.
var inside = map[string]string{
	"input_layernorm":  "attn_norm",
	"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
	"self_attn.o_proj": "attn_output",
	"self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
	"post_attention_layernorm":   "ffn_norm",
	"pre_feedforward_layernorm":  "ffn_norm",
	"post_feedforward_layernorm": "post_ffw_norm",
	"mlp.gate_proj":              "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}

// name is llama.cpp's name of a tensor that Hugging Face names.
func (a architecture) tensorName(tensor string) (string, error) {
	if name, ok := outside[tensor]; ok {
		return name, nil
	}
	rest, ok := strings.CutPrefix(tensor, "model.layers.")
	layer, part, ok2 := strings.Cut(rest, ".")
	dot := strings.LastIndexByte(part, '.')
	if !ok || !ok2 || dot < 0 {
		return "", fmt.Errorf("llama.cpp has no name for the tensor %s", tensor)
	}
	part, suffix := part[:dot], part[dot:]
	name, ok := inside[part]
	if a.normsBehind && part == "post_attention_layernorm" {
		name = "post_attention_norm"
	}
	if !ok {
		return "", fmt.Errorf("llama.cpp has no name for the tensor %s", tensor)
	}
	return "blk." + layer + "." + name + suffix, nil
}
