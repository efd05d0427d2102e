package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// bareFile returns the smallest tokenizer.json: the bytes, two merges and one special token.
func bareFile() map[string]any {
	vocab := map[string]any{"ab": 256, "abc": 257}
	for b := range 256 {
		vocab[string(byteChar[b])] = b
	}
	return map[string]any{
		"version":       "1.0",
		"added_tokens":  []any{addedToken{ID: 258, Content: "<s>", Special: true}},
		"pre_tokenizer": map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
		"decoder":       map[string]any{"type": "ByteLevel"},
		"model":         map[string]any{"type": "BPE", "vocab": vocab, "merges": []any{"a b", []string{"ab", "c"}}},
	}
}

// tokenizerJSON is a model directory with nothing but tokenizer.json.
func tokenizerJSON(raw []byte) files { return files{vocabulary: []file{{"tokenizer.json", raw}}} }

// change sets the value at a path of keys.
func change(file map[string]any, value any, path ...string) map[string]any {
	m := file
	for _, key := range path[:len(path)-1] {
		m = m[key].(map[string]any)
	}
	m[path[len(path)-1]] = value
	return file
}

func parsed(file map[string]any) (*Tokenizer, error) {
	raw, err := json.Marshal(file)
	if err != nil {
		return nil, err
	}
	return assemble(tokenizerJSON(raw))
}

func TestWhatIsNotUnderstoodIsNamed(t *testing.T) {
	type element = map[string]any
	template := func(single ...element) element {
		tokens := element{"<s>": element{"id": "<s>", "ids": []int{999}}}
		return element{"type": "TemplateProcessing", "single": single, "special_tokens": tokens}
	}
	text, token := element{"Sequence": element{"id": "A"}}, func(id string) element {
		return element{"SpecialToken": element{"id": id}}
	}
	blowUp := slices.Repeat([]element{
		{"type": "Replace", "pattern": element{"String": "a"}, "content": strings.Repeat("a", 100)},
	}, 3)
	scheme := func(s string) element {
		return element{"type": "Metaspace", "replacement": "_", "prepend_scheme": s}
	}
	deep := func(n int) (e element) {
		for range n {
			e = element{"type": "Sequence", "pretokenizers": []element{e}}
		}
		return e
	}
	cuts := func(all ...element) element { return element{"type": "Sequence", "pretokenizers": all} }
	split := func(pattern element, behavior string) element {
		return cuts(element{"type": "Split", "pattern": pattern, "behavior": behavior}, element{"type": "ByteLevel"})
	}
	for _, c := range []struct {
		path  string
		value any
		want  string
	}{
		{"version", "2.0", `version "2.0"`},
		{"extra", 1, `unknown field "extra"`},
		{"normalizer", element{"type": "Titlecase"}, `normalizer: type "Titlecase" is not supported`},
		{"normalizer", element{"type": "Replace"}, "pattern or content"},
		{"normalizer", element{"type": "Sequence", "decoders": []element{}}, "a Sequence holds other than normalizers"},
		{"normalizer", element{"type": "NFC", "more": 1}, `normalizer: NFC: unknown field "more"`},
		{"normalizer", element{"type": "Strip", "content": "x"}, `normalizer: Strip: unknown field "content"`},
		{"normalizer", element{"type": "Precompiled", "precompiled_charsmap": "AAAA"}, "charsmap is cut off"},
		{"normalizer", element{"type": "Sequence", "normalizers": blowUp}, "more than 4096 times as long"},
		{"decoder", element{"type": "Sequence", "decoders": blowUp}, "more than 4096 times as long"},
		{"normalizer", element{"type": "Prepend", "prepend": strings.Repeat("a", 1<<20)}, "more than 4096 times"},
		{"pre_tokenizer", element{"type": "Metaspace"}, `pre_tokenizer: Metaspace: replacement ""`},
		{"pre_tokenizer", element{"type": "UnicodeScripts"}, `pre_tokenizer: type "UnicodeScripts"`},
		{"pre_tokenizer", cuts(element{"type": "ByteLevel"}, scheme("first")), "only before all others"},
		{"pre_tokenizer", scheme("second"), `prepend_scheme "second"`},
		{"pre_tokenizer.tokens", 1, `pre_tokenizer: ByteLevel: unknown field "tokens"`},
		{"pre_tokenizer", split(element{"Regex": "a"}, "Kept"), `behavior "Kept"`},
		{"pre_tokenizer", split(element{}, "Isolated"), "neither a Regex nor a String"},
		{"pre_tokenizer", split(element{"Regex": `\w+$`}, "Isolated"), `pattern "\\w+$"`},
		{"pre_tokenizer", split(element{"Regex": `(a+)+`}, "Isolated"), "can take forever"},
		{"pre_tokenizer", deep(20), "too deep"},
		{"post_processor", element{"type": "BertProcessing"}, "post_processor: BertProcessing: cls or sep is missing"},
		{"post_processor", element{"type": "PairProcessing"}, `post_processor: type "PairProcessing"`},
		{"post_processor", template(text, token("<s>")), "id 999 is not in the vocabulary"},
		{"post_processor", template(text, token("x")), `"x" has no ids`},
		{"post_processor", template(), "single holds 0 sequences"},
		{"post_processor", template(element{}), "neither SpecialToken nor Sequence"},
		{"decoder", element{"type": "CTC"}, `decoder: type "CTC"`},
		{"added_tokens", []addedToken{{ID: 3, Content: "xyz"}}, "id 3 has two tokens"},
		{"added_tokens", []addedToken{{ID: 300, Content: "ab"}}, `"ab" with id 300 is empty or has another id`},
		{"added_tokens", []addedToken{{ID: vocabLimit, Content: "xyz"}}, `"xyz": id 4194304`},
		{"added_tokens", []addedToken{{ID: 300}}, "empty"},
		{"model", element{"type": "Unigram", "vocab": []any{}}, "model: unk_id is missing"},
		{"model", element{"type": "WordLevel", "vocab": element{}, "unk_token": "?"}, `model: unk_token "?"`},
		{"model.type", "Words", `model: type "Words"`},
		{"model.dropout", 0.1, "model: dropout 0.1"},
		{"model.merges", nil, "vocab or merges are missing"},
		{"model.merges", []string{"a b c"}, `merge "a b c" is not of two tokens`},
		{"model.merges", []string{"b a"}, `merges: entry 0, "b" and "a"`},
		{"model.vocab.x", 3.5, "cannot unmarshal number 3.5"},
		{"model.vocab.xyz", 7, "id 7 has two tokens"},
		{"model.vocab.xyz", -1, `token "xyz": id -1`},
		{"model.vocab.a", nil, "has two tokens"},
		{"model.new", 1, `model: unknown field "new"`},
	} {
		_, err := parsed(change(bareFile(), c.value, strings.Split(c.path, ".")...))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s = %v: error %v, want %q in it", c.path, c.value, err, c.want)
		}
	}
}

func TestBytesThatAreNoTokensAreUnknown(t *testing.T) {
	for unknown, want := range map[string][]int32{"": {'a', 0xb8, 0xad}, "<s>": {'a', 258, 0xb8, 0xad}} {
		file := bareFile()
		delete(file["model"].(map[string]any)["vocab"].(map[string]any), string(byteChar[0xe4]))
		if unknown != "" {
			file = change(change(file, 258, "model", "vocab", unknown), unknown, "model", "unk_token")
		}
		tok, err := parsed(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Encode("a中"); !slices.Equal(got, want) {
			t.Errorf("tokens %v, want %v", got, want)
		}
	}
}

func TestLaterFormsOfAFileAreUnderstood(t *testing.T) {
	file := change(bareFile(), "", "model", "end_of_word_suffix")
	file = change(file, map[string]any{"type": "Sequence", "decoders": []any{file["decoder"]}}, "decoder")
	file = change(file, map[string]any{"max_length": 8}, "truncation")
	tok, err := parsed(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := tok.Encode("abcab"); len(got) != 2 || got[0] != 257 || got[1] != 256 {
		t.Errorf("tokens %v", got)
	}
}

func writeFiles(t *testing.T, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	raw, err := json.Marshal(bareFile())
	if err != nil {
		t.Fatal(err)
	}
	contents["tokenizer.json"] = string(raw)
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNamesOfSpecialTokensComeFromTheConfigThenTheMap(t *testing.T) {
	tok, err := Load(writeFiles(t, map[string]string{
		"tokenizer_config.json":   `{"bos_token": {"content": "<s>"}, "pad_token": null, "anything": [1]}`,
		"special_tokens_map.json": `{"bos_token": "a", "eos_token": "abc"}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := tok.BOS(); id != 258 || !ok {
		t.Errorf("BOS %d, %v", id, ok)
	}
	if id, ok := tok.EOS(); id != 257 || !ok {
		t.Errorf("EOS %d, %v", id, ok)
	}
	if _, ok := tok.PAD(); ok {
		t.Error("there is a PAD")
	}
}

func TestBrokenConfigIsNamed(t *testing.T) {
	for content, want := range map[string]string{
		`{"eos_token": "</s>"}`: `tokenizer_config.json: eos_token: "</s>" is not in the vocabulary`,
		`{`:                     "tokenizer_config.json: unexpected end",
		`{"added_tokens_decoder": {"5": {"content": "<s>"}}}`: `"<s>" with id 5 is not in the vocabulary`,
		`{"chat_template": 3}`:                                "tokenizer_config.json: chat_template",
	} {
		_, err := Load(writeFiles(t, map[string]string{"tokenizer_config.json": content}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", content, err, want)
		}
	}
}

func TestFilesBeyondTheLimitAreNotRead(t *testing.T) {
	dir := writeFiles(t, map[string]string{"tokenizer_config.json": ""})
	if err := os.Truncate(filepath.Join(dir, "tokenizer_config.json"), fileLimit+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "more than the limit") {
		t.Errorf("error %v", err)
	}
}

func TestLoadWithoutTokenizerFileFails(t *testing.T) {
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "tokenizer.json") {
		t.Errorf("error %v", err)
	}
}

// useFuzzed checks what must hold for every tokenizer that a fuzzer makes.
func useFuzzed(t *testing.T, tok *Tokenizer) {
	t.Helper()
	ids := tok.EncodeAll("it's  abc 中e\u0301\n<s>12\x00 ÀB▁x")
	for _, id := range ids {
		if id < 0 || int(id) >= tok.Size() {
			t.Errorf("token %d of %d", id, tok.Size())
		}
	}
	if text := tok.DecodeAll(ids); !utf8.ValidString(text) {
		t.Errorf("%v is decoded to %q", ids, text)
	}
}

func FuzzTokenizerFile(f *testing.F) {
	raw, err := json.Marshal(bareFile())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(bytes.Replace(raw, []byte(`"trim_offsets":true`), []byte(`"add_prefix_space":true`), 1))
	fixture := readFixture[componentFixture](f, "components.json")
	for _, row := range fixture.Tokenizers {
		f.Add([]byte(row.File))
	}
	small := `{"version":"1.0","model":{"type":"WordLevel","vocab":{"a":0,"?":1},"unk_token":"?"},"%s":%s}`
	for part, rows := range map[string][]componentRow{
		"normalizer": fixture.Normalizers, "pre_tokenizer": fixture.PreTokenizers, "decoder": fixture.Decoders,
	} {
		for _, row := range rows {
			f.Add(fmt.Appendf(nil, small, part, row.Element))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tok, err := assemble(tokenizerJSON(raw)); err == nil {
			useFuzzed(t, tok)
		}
	})
}

func FuzzSentencePieceModel(f *testing.F) { fuzzFormat(f, "spm ", readSentencePiece) }

func FuzzTiktokenRanks(f *testing.F) {
	fuzzFormat(f, "tiktoken", func(raw []byte) (*Tokenizer, vocabulary, error) {
		return readTiktoken(raw, &configFile{})
	})
}

// fuzzFormat starts from the models of formats.json whose names begin so.
func fuzzFormat(f *testing.F, name string, read func([]byte) (*Tokenizer, vocabulary, error)) {
	for _, row := range readFixture[formatFixture](f, "formats.json").Formats {
		if strings.HasPrefix(row.Name, name) {
			f.Add(row.Files["tokenizer.model"])
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if tok, _, err := read(raw); err == nil {
			useFuzzed(t, tok)
		}
	})
}
