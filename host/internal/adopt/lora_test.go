package adopt

import (
	"slices"
	"strings"
	"testing"
)

func TestAdapters(t *testing.T) {
	for text, want := range map[string]string{
		"model_name_or_path: m\ndataset: a\nlora_target: all\n": "lora: {rank: 8, alpha: 16}",
		"model_name_or_path: m\ndataset: a\nquantization_bit: 4\nquantization_method: bnb\nlora_rank: 16\nlora_alpha: 8\n" +
			"lora_dropout: 0.05\nlora_target: q_proj,v_proj\nuse_dora: true\n": "lora: {rank: 16, alpha: 8, " +
			"targets: [q_proj, v_proj], dora: true, base: nf4}",
		"base_model: m\ndatasets: [{path: a.json, type: alpaca}]\nadapter: qlora\nload_in_4bit: true\nlora_r: 32\n" +
			"lora_alpha: 16\nlora_target_linear: true\npeft_use_rslora: true\n": "lora: {rank: 32, alpha: 16, rslora: true, base: nf4}",
		"base_model: m\ndatasets: [{path: a.json, type: alpaca}]\nadapter: lora\nload_in_8bit: true\nlora_target_linear: true\n": "lora: {rank: 8, " +
			"alpha: 16}",
		"model_name_or_path: m\ndataset: a\nquantization_bit: 4\nquantization_type: fp4\n": "lora: {rank: 8, alpha: 16, base: nf4}",
	} {
		a, err := Adopt("f.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !strings.Contains(string(a.Text), "    "+want+"\n") {
			t.Errorf("%s becomes\n%s", text, a.Text)
		}
		for _, key := range []string{"lora_dropout", "quantization_type", "load_in_8bit"} {
			left := slices.ContainsFunc(a.Left, func(l Left) bool { return l.Key == key })
			if left != strings.Contains(text, key+":") {
				t.Errorf("%s: %s is listed: %v", text, key, left)
			}
		}
	}
}
