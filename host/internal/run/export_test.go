package run

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/carebot-llm/carebot/host/internal/gguf"
)

func TestModelsAreExportedInEveryTypeAndReadBack(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml", "stages.stable.lora={rank: 2}")
	for _, c := range []struct {
		override string
		most     float64 // difference of the answers
		dtype    string  // in config.json
	}{
		{"format=safetensors", exportTolerance, "float32"},
		{"outtype=bf16", 0.1, "bfloat16"},
		{"outtype=f16", 0.02, "float16"},
		{"format=gguf", exportTolerance, ""},
		{"format=gguf outtype=f16", 0.02, ""},
		{"format=gguf outtype=bf16", 0.1, ""},
		{"format=gguf outtype=q8_0", 0.1, ""},
		{"format=gguf outtype=q4_k", 0.1, ""}, // this model's rows are too short for it: Q8_0 and F16
	} {
		overrides := []string{"stages.stable.lora={rank: 2}"}
		for key := range strings.FieldsSeq(c.override) {
			overrides = append(overrides, "stages.release."+key)
		}
		p.run(t, "mini.yaml", overrides...)
		e := p.summary(t, "mini", "release").Export
		if c.dtype != "" {
			cfg, err := readConfig(e.Dir)
			if err != nil || cfg.TorchDtype != c.dtype {
				t.Errorf("%s: the configuration says %q, want %q, %v", c.override, cfg.TorchDtype, c.dtype, err)
			}
		}
		if !(e.Difference <= c.most) || c.most > exportTolerance && e.Difference == 0 {
			t.Errorf("%s: the answers differ by %g", c.override, e.Difference)
		}
	}
}

func TestAFileForLlamaCppHoldsTokenizerAndTemplate(t *testing.T) {
	p := newProject(t, nil)
	p.run(t, "mini.yaml", "stages.release.format=gguf")
	f, err := gguf.Open(p.summary(t, "mini", "release").Export.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for key, want := range map[string]any{
		"general.architecture": "llama", "llama.block_count": uint32(1), "llama.embedding_length": uint32(16),
		"llama.context_length": uint32(64), "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "qwen2",
		"tokenizer.ggml.add_bos_token": false,
	} {
		if f.Metadata[key] != want {
			t.Errorf("%s is %v, want %v", key, f.Metadata[key], want)
		}
	}
	if tokens := f.Metadata["tokenizer.ggml.tokens"].([]string); len(tokens) != 300 {
		t.Errorf("%d tokens", len(tokens))
	}
	if template := f.Metadata["tokenizer.chat_template"].(string); !strings.Contains(template, "im_start") {
		t.Errorf("template %q", template)
	}
}

func TestAnAdapterIsExportedAlone(t *testing.T) {
	p := newProject(t, adapted())
	p.run(t, "mini.yaml", "stages.release={kind: export, model: dpo, format: adapter}")
	e := p.summary(t, "mini", "release").Export
	if e.Difference != 0 {
		t.Errorf("the answers differ by %g", e.Difference)
	}
	names, err := filepath.Glob(filepath.Join(e.Dir, "adapter_*"))
	if err != nil || len(names) != 2 {
		t.Errorf("files %v, %v", names, err)
	}
	q := newProject(t, nil)
	err = q.process(t, "mini.yaml", "stages.release.format=adapter").Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no train stage with lora") {
		t.Errorf("error %v", err)
	}
}
