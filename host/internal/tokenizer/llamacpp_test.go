package tokenizer

import (
	"strings"
	"testing"
)

func TestTokenizersAreDescribedForLlamaCpp(t *testing.T) {
	const bytes = `"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}`
	content := func(rest, model string) []byte {
		return []byte(`{"version": "1.0", "added_tokens": [{"id": 3, "content": "<s>", "special": true, "single_word": false,
			"lstrip": false, "rstrip": false, "normalized": false}], ` + rest + `, "model": ` + model + `}`)
	}
	byteModel := `{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}`
	pieces := `{"type": "BPE", "byte_fallback": true, "unk_token": "<unk>", "vocab": {"<unk>": 0, "<0x41>": 1, "▁": 2, "a": 4, "▁a": 5}, "merges": [["▁", "a"]]}`
	for _, c := range []struct {
		name    string
		content []byte
		want    string // model, pre, tokens:types
		wrong   string
	}{
		{"GPT-2", content(bytes, byteModel), "gpt2 gpt-2 a:1 b:1 ab:1 <s>:3 [PAD4]:5", ""},
		{"Llama 2", content(`"normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}]}`, pieces),
			"llama  <unk>:2 <0x41>:6 ▁:1 <s>:3 a:1 ▁a:1", ""},
		{"a pattern of its own", content(`"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": "x+"},
			"behavior": "Isolated", "invert": false}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]}`, byteModel),
			"", `no name for the pre-tokenizer pattern "x+"`},
		{"a normalizer", content(`"normalizer": {"type": "Lowercase"}, `+bytes, byteModel), "", "does not apply the normalizer"},
		{"WordPiece", content(bytes, `{"type": "WordPiece", "vocab": {"a": 0}}`), "", `"WordPiece", only BPE`},
	} {
		tok := &Tokenizer{tokens: make([]string, 4), bos: none, eos: none, pad: none}
		tok.files.vocabulary = []file{{"tokenizer.json", c.content}}
		x, err := tok.LlamaCpp(max(4, strings.Count(c.want, ":")))
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: error %v, want %q", c.name, err, c.wrong)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := []string{x.Model, x.Pre}
		for id, token := range x.Tokens {
			got = append(got, token+":"+string(rune('0'+x.Types[id])))
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s: %s, want %s", c.name, text, c.want)
		}
	}
}
