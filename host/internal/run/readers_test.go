package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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

// A reader's answers, as testdata/readers.py writes them.
type reading struct {
	Reader           string
	Prompts, Answers [][]int32
}

var readerPrompts = []string{"The heart pumps blood", "  two spaces,\nand 12345 lines", "<|im_start|>user\nWhat?<|im_end|>\n", "心臟 und Lunge"}

// Exports are loaded and continued by transformers and llama.cpp. CAREBOT_PYTHON names an interpreter that has them.
func TestReadersThatAreNotOursAnswerTheSame(t *testing.T) {
	python := os.Getenv("CAREBOT_PYTHON")
	if python == "" {
		t.Skip("CAREBOT_PYTHON names no Python with transformers, peft, gguf and llama-cpp-python: exports are not read by others")
	}
	for name, keys := range readableModels {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join(t.TempDir(), name)
			writeReadable(t, base, keys)
			dir, files := exportReadable(t, base)
			want := ownAnswers(t, dir)
			for _, r := range runReaders(t, python, dir, files...) {
				if len(r.Answers) == 0 {
					reader, count, _ := strings.Cut(r.Reader, ": ")
					t.Logf("compatibility: exports | %s | %s | read: %s", name, reader, count)
					continue
				}
				equal := 0
				for i := range r.Answers {
					if slices.Equal(r.Prompts[i], want.Prompts[i]) && slices.Equal(r.Answers[i], want.Answers[i]) {
						equal++
					} else {
						t.Errorf("%s, prompt %d: tokens %v and answer %v, want %v and %v", r.Reader, i, r.Prompts[i], r.Answers[i], want.Prompts[i], want.Answers[i])
					}
				}
				t.Logf("compatibility: exports | %s | %s | %d of %d", name, r.Reader, equal, len(r.Answers))
			}
		})
	}
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

// exportReadable exports a model for all readers.
func exportReadable(t *testing.T, base string) (dir string, files []string) {
	t.Helper()
	p := newProject(t, map[string]string{"export.yaml": `name: out
device: cpu
datasets:
  texts: {files: [texts.jsonl], format: text, language: en}
models:
  base: {from: ` + base + `}
stages:
  whole: {kind: export, model: base, shard_size: 1MiB}
  single: {kind: export, model: base, format: gguf, outtype: f32}
`})
	p.run(t, "export.yaml")
	return p.summary(t, "out", "whole").Export.Dir, []string{p.summary(t, "out", "single").Export.Dir}
}

// ownAnswers continues the prompts greedily.
func ownAnswers(t *testing.T, dir string) (r reading) {
	t.Helper()
	m, err := OpenModel(dir, "cpu")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, text := range readerPrompts {
		r.Prompts = append(r.Prompts, m.tok.EncodeAll(text))
	}
	r.Answers, err = m.model.Generate(t.Context(), r.Prompts, model.Generation{MaxTokens: 12, Stop: []int32{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func runReaders(t *testing.T, python, dir string, files ...string) (all []reading) {
	t.Helper()
	prompts, err := json.Marshal(readerPrompts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, append([]string{"testdata/readers.py", dir}, files...)...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(prompts), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), `{"reader"`) {
			continue
		}
		var r reading
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}
